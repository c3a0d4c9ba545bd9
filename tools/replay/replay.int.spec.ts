/** The whole replay against a stand-in of the api: it must find nothing where nothing is wrong, and everything else. */
import { createHash } from 'node:crypto';
import { parseScarcity } from './model/scarcity';
import type { Progress } from './output/progress';
import { replay } from './replay';
import { removeRetailFiles, smallMonth, writeRetailFile } from './testing/retail-file';
import { STAND_IN_ADMIN_TOKEN, StandInApi } from './testing/stand-in-api';
import type { Fault } from './testing/stand-in-ledger';

afterAll(removeRetailFiles);

/** Numbers in [0, 1) from a seed, so that a failure can be repeated. */
function seeded(seed: number): () => number {
  let count = 0;
  return () => createHash('sha256').update(`${seed}/${count++}`).digest().readUInt32BE(0) / 2 ** 32;
}

const MONTH = smallMonth(300, seeded(7));

interface Told extends Progress {
  readonly notes: string[];
}

function quiet(): Told {
  const notes: string[] = [];
  return {
    notes,
    begin: () => undefined,
    advance: () => undefined,
    end: () => undefined,
    note: (text) => notes.push(text),
  };
}

async function run(
  options: { scarcity?: string; faults?: Fault[]; limitInvoices?: number; lines?: typeof MONTH } = {},
) {
  const api = new StandInApi(options.faults);
  const progress = quiet();
  try {
    const apiUrl = await api.listen();
    const summary = await replay(
      {
        file: writeRetailFile(options.lines ?? MONTH, 'retail.csv.gz'),
        scarcity: parseScarcity(options.scarcity ?? '1')!,
        concurrency: 8,
        limitInvoices: options.limitInvoices,
        apiUrl,
        adminToken: STAND_IN_ADMIN_TOKEN,
      },
      progress,
    );
    return { summary, notes: progress.notes, api };
  } finally {
    await api.close();
  }
}

describe('a platform that keeps its books', () => {
  it('ends without a mismatch and without a refusal where everything is in stock', async () => {
    const { summary, api } = await run();
    expect(summary).toMatchObject({ organizations: 3, mismatches: 0, refused: 0, lines: MONTH.length });
    expect(summary.orders + summary.returns + summary.adjustments).toBeGreaterThanOrEqual(300);
    expect(summary.orders_per_second).toBeGreaterThan(0);
    expect(summary.p99_ms).toBeGreaterThanOrEqual(summary.p50_ms);
    expect(api.mostAtOnce).toBeGreaterThan(1);
  });

  it.each(['0', '0.1', '0.5', '0.7', '0.9'])('refuses exactly what the file gives at scarcity %s', async (scarcity) => {
    const { summary, notes } = await run({ scarcity });
    expect(notes.filter((note) => note.startsWith('mismatch'))).toEqual([]);
    expect(summary.mismatches).toBe(0);
    expect(summary.refused).toBeGreaterThan(0);
  });

  it.each<Fault>(['answers-and-hangs-up', 'is-busy'])('survives a platform that %s', async (fault) => {
    const { summary, notes } = await run({ scarcity: '0.7', faults: [fault] });
    expect(summary.mismatches).toBe(0);
    expect(notes.join()).toMatch(/requests were sent again/);
  });

  it('replays only the first invoices when told so, with stock for those alone', async () => {
    const { summary } = await run({ limitInvoices: 5 });
    expect(summary.mismatches).toBe(0);
    expect(summary.orders + summary.returns + summary.adjustments).toBeLessThan(12);
  });

  it('tests the wall with an outsider where the file has one country', async () => {
    const { summary, notes } = await run({ lines: MONTH.filter((line) => line[7] === 'EIRE') });
    expect(summary).toMatchObject({ organizations: 1, mismatches: 0 });
    expect(notes.join()).toMatch(/(\d\d+) ids of other organizations/);
  });
});

describe('a platform that does not', () => {
  it.each<[Fault, RegExp]>([
    ['loses-a-unit', /on_hand/],
    ['forgets-a-movement', /sum of its movements/],
    ['oversells', /accepted, the file gives the opposite/],
    ['refuses-what-is-there', /refused, the file gives the opposite/],
    ['keeps-part-of-a-refusal', /on_hand/],
    ['miscounts-money', /total_minor/],
    ['leaves-an-order-open', /state/],
    ['shows-foreign-ids', /status/],
    ['hints-at-foreign-ids', /otherwise than an unknown id/],
  ])('is found out when it %s', async (fault, difference) => {
    const { summary, notes } = await run({ scarcity: '0.7', faults: [fault] });
    expect(summary.mismatches).toBeGreaterThan(0);
    expect(notes.filter((note) => note.startsWith('mismatch')).join('\n')).toMatch(difference);
  });

  it('is found out when an attempt that comes again takes effect again', async () => {
    const { summary } = await run({ faults: ['answers-and-hangs-up', 'forgets-idempotency-keys'] });
    expect(summary.mismatches).toBeGreaterThan(0);
  });

  it.each<Fault>(['fails-an-import', 'skips-lines-of-an-import'])(
    'ends the replay with the job when it %s',
    async (fault) => {
      await expect(run({ faults: [fault] })).rejects.toThrow(/opening stock of .* failed: .*"state":/);
    },
  );
});
