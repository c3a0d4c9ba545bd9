import { Renders } from './renders';

function screenOf() {
  const frames: (() => void)[] = [];
  let hidden = false;
  let drawn = 0;
  const renders = new Renders({ frame: (draw) => frames.push(draw), hidden: () => hidden }, () => (drawn += 1));
  const next = () => frames.splice(0).forEach((draw) => draw());
  return { renders, next, hide: (is: boolean) => (hidden = is), drawn: () => drawn };
}

describe('Renders', () => {
  it('draws once a frame, however much has changed', () => {
    const { renders, next, drawn } = screenOf();
    for (let change = 0; change < 100; change += 1) renders.request();
    expect(drawn()).toBe(0);
    next();
    expect(drawn()).toBe(1);
    next();
    expect(drawn()).toBe(1);
    renders.request();
    next();
    expect(drawn()).toBe(2);
  });

  it('draws nothing while nobody looks, and once afterwards', () => {
    const { renders, next, hide, drawn } = screenOf();
    renders.request();
    hide(true); // before the frame came
    next();
    for (let change = 0; change < 100; change += 1) renders.request();
    next();
    expect(drawn()).toBe(0);
    hide(false);
    renders.shown();
    next();
    expect(drawn()).toBe(1);
  });

  it('does not draw when somebody looks again and nothing has changed', () => {
    const { renders, next, hide, drawn } = screenOf();
    hide(true);
    hide(false);
    renders.shown();
    next();
    expect(drawn()).toBe(0);
  });
});
