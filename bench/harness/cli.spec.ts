/** The command: what it prints where, and with which status it ends. */
import type { Bench } from './bench';
import { runBenchCli } from './cli';
import type { Bounds, Targets } from './targets';

interface Opened {
  closed: boolean;
}

/** A bench of which the subject is about as fast as the reference. */
function fakeBench(opened: Opened, fails = false): Bench {
  const run = (operations: number): void => {
    if (fails) throw new Error('out of stock');
    const until = performance.now() + operations;
    while (performance.now() < until);
  };
  return {
    name: 'fake',
    about: 'one against itself.',
    async *compare() {
      try {
        yield { name: 'same', subject: { name: 'one', run }, reference: { name: 'other', run } };
        yield { name: 'single', measures: 'p50', subject: { name: 'one', run }, reference: { name: 'other', run } };
      } finally {
        opened.closed = true;
      }
    },
  };
}

async function run(argv: string[], targets: Readonly<Record<string, Bounds>> = {}, fails = false) {
  const opened: Opened = { closed: false };
  const said = { out: '', told: '' };
  const status = await runBenchCli(argv.includes('--rounds') ? argv : [...argv, '--rounds', '3'], {
    benches: [fakeBench(opened, fails)],
    targets: { fake: targets } satisfies Targets,
    roundMs: 5,
    out: (text) => (said.out += text),
    tell: (text) => (said.told += `${text}\n`),
  });
  return { status, ...said, ...opened };
}

describe('npm run bench', () => {
  it('lists the names for an unknown one, with status 2', async () => {
    for (const argv of [[], ['nope'], ['fake', 'fake'], ['fake', '--rounds', '0'], ['fake', '--fast']]) {
      const { status, out } = await run(argv);
      expect([status, out]).toEqual([2, '']);
    }
    const { told } = await run(['nope']);
    expect(told).toMatch(/^There is no bench "nope"\.\n/);
    expect(told).toContain('fake       one against itself.');
    expect((await run([])).told).toMatch(/^Name a bench\.\n/);
    expect((await run(['fake', 'fake'])).told).toMatch(/^Name one bench at a time\.\n/);
  });

  it('prints one line of JSON, or a table', async () => {
    const { out, closed, status } = await run(['fake', '--json']);
    expect(JSON.parse(out)).toMatchObject({ bench: 'fake', same_pairs: 3, same_ratio: expect.any(Number) });
    expect(out.trimEnd()).not.toContain('\n');
    expect([status, closed]).toEqual([0, true]);
    expect((await run(['fake'])).out).toMatch(/^same_ratio +\d/m);
  });

  it('prints a Markdown table, in the units of what is measured', async () => {
    const { out } = await run(['fake', '--markdown']);
    expect(out).toMatch(/^\| same \| one [\d,]+\/s \| other [\d,]+\/s \| \d/m);
    expect(out).toMatch(/^\| single \| one \d+\.\d\d ms \|/m);
  });

  it('measures only what is asked for', async () => {
    const { out } = await run(['fake', '--only', 'sing', '--json']);
    expect(Object.keys(JSON.parse(out) as object)).toContain('single_one_p50_ms');
    expect(out).not.toContain('same');
  });

  it('ends with 0 where all targets are reached, and says so', async () => {
    const { status, told } = await run(['fake', '--check'], { same_ratio: { min: 0.01, max: 100 } });
    expect(status).toBe(0);
    expect(told).toMatch(/reached {2}same_ratio = .*, wanted at least 0.01 and at most 100/);
  });

  it.each<[string, Readonly<Record<string, Bounds>>]>([
    ['a figure is below its minimum', { same_ratio: { min: 100 } }],
    ['a figure is above its maximum', { same_ratio: { max: 0.01 } }],
    ['a figure of a target is not measured', { speed_ratio: { min: 0 } }],
    ['one of several is missed', { same_ratio: { min: 0.01 }, same_pairs: { min: 4 } }],
  ])('ends with 1 where %s, after the figures', async (_, targets) => {
    const { status, told, out } = await run(['fake', '--check'], targets);
    expect(status).toBe(1);
    expect(told).toContain('MISSED');
    expect(out).toContain('same_ratio');
  });

  it('does not look at targets without --check', async () => {
    expect((await run(['fake'], { same_ratio: { min: 100 } })).status).toBe(0);
  });

  it('closes what it opened where a contestant fails', async () => {
    const opened: Opened = { closed: false };
    const cli = {
      benches: [fakeBench(opened, true)],
      targets: {},
      roundMs: 5,
      out: () => undefined,
      tell: () => undefined,
    };
    await expect(runBenchCli(['fake'], cli)).rejects.toThrow('out of stock');
    expect(opened.closed).toBe(true);
  });
});
