import { readOptions, UsageError } from './options';

const PLACES = { workingDirectory: '/here', figuresFile: '/f.json', profileFile: '/p.json', traces: ['step', 'queue'] };
const read = (...argv: string[]) => readOptions(argv, PLACES);

describe('npm run simulate', () => {
  it('plays every trace against the chart of the checkout', () => {
    expect(read()).toMatchObject({ command: 'run', traces: [], rendered: undefined, everySeconds: 60, seed: 1 });
  });

  it('takes names relative to where it was called', () => {
    expect(
      read('queue', '--rendered', 'a.yaml', '--values', 'b.yaml', '--values', '/c.yaml', '--set', 'x=1'),
    ).toMatchObject({
      traces: ['queue'],
      rendered: '/here/a.yaml',
      values: ['/here/b.yaml', '/c.yaml'],
      set: ['x=1'],
    });
  });

  it('measures, and makes a profile', () => {
    expect(read('measure', '--node-flags=--a --b')).toEqual({
      command: 'measure',
      out: '/f.json',
      nodeFlags: ['--a', '--b'],
    });
    expect(read('profile', 'x.csv.gz', '--out', 'y.json')).toEqual({ command: 'profile', file: '/here/x.csv.gz', out: '/here/y.json' }); // prettier-ignore
  });

  it.each([
    [['nothing'], 'no trace "nothing"'],
    [['--every', '0'], '--every'],
    [['--seed', 'x'], '--seed'],
    [['profile'], 'exactly one'],
    [['measure', 'more'], 'more'],
    [['--what'], '--what'],
  ])('%j is refused', (argv, why) => {
    expect(() => read(...argv)).toThrow(UsageError);
    expect(() => read(...argv)).toThrow(why);
  });
});
