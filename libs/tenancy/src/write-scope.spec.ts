import { WriteScope } from './write-scope';

describe('the scope of a write', () => {
  const steps: string[] = [];
  const task = (name: string) => (): Promise<void> => {
    steps.push(name);
    return Promise.resolve();
  };

  beforeEach(() => (steps.length = 0));

  it('does at once what is asked for outside of a write', async () => {
    await new WriteScope().after(task('now'));
    expect(steps).toEqual(['now']);
  });

  it('does what is asked for inside of one after it, and before the caller goes on', async () => {
    const scope = new WriteScope();
    await scope.run(async () => {
      await scope.after(task('after'));
      steps.push('committed');
    });
    expect(steps).toEqual(['committed', 'after']);
  });

  it('does it too where the write fails, as its end may be unknown', async () => {
    const scope = new WriteScope();
    const failing = scope.run(async () => {
      await scope.after(task('after'));
      throw new Error('lost');
    });
    await expect(failing).rejects.toThrow('lost');
    expect(steps).toEqual(['after']);
  });

  it('counts a write inside of a write as one of its own', async () => {
    const scope = new WriteScope();
    await scope.run(async () => {
      await scope.run(() => scope.after(task('inner')));
      steps.push('inner is over');
    });
    expect(steps).toEqual(['inner', 'inner is over']);
  });

  it('is over for what the write left running', async () => {
    const scope = new WriteScope();
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    let left: Promise<void> | undefined;
    await scope.run(() => {
      left = waiting.then(() => scope.after(task('late')));
      return Promise.resolve();
    });
    goOn();
    await left;
    expect(steps).toEqual(['late']);
  });
});
