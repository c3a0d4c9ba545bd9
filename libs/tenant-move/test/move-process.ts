/**
 * A process that runs moves to their end, beside each other, for specs that kill it. The state of each is committed before each
 * step; a line on stdout says which step begins. Moves may wait for each other, each before a step of its own, so that one kill
 * meets all of them. A step that fails is tried again as the operation would. Arguments: JSON of {@link MoveProcessArguments}.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { StockyardError } from '#libs/kernel';
import { Pool } from 'pg';
import { type MoveState, type MoveStep, NEW_MOVE, TenantMove } from '../src';
import { directoryOf } from './directory';

export interface MoveProcessArguments {
  readonly moves: readonly {
    readonly organizationId: string;
    /** It waits here until all that wait have come. */
    readonly waitsAt?: MoveStep | undefined;
  }[];
  readonly source: { readonly shard: string; readonly url: string };
  readonly target: { readonly shard: string; readonly url: string };
  readonly controlUrl: string;
  /** Where the states are saved. */
  readonly stateUrl: string;
  readonly work: 'go on' | 'roll back';
}

/** Of errors that nobody foresaw, as the operation allows; those that say `unavailable` do not count there. */
const MAX_FAILURES = 5;
const RETRY_MS = 500;
/** Those under a fence wait there for the others. */
const LONGEST_WAIT_MS = 60_000;

async function main(options: MoveProcessArguments): Promise<void> {
  const store = new Pool({ connectionString: options.stateUrl });
  const side = ({ shard, url }: MoveProcessArguments['source']) => ({ shard, moverUrl: () => url });
  const all = new Meeting(options.moves.filter(({ waitsAt }) => waitsAt).length);

  const run = async ({ organizationId, waitsAt }: MoveProcessArguments['moves'][number]) => {
    const { rows } = await store.query<{ state: MoveState }>('select state from saved_moves where tenant = $1', [
      organizationId,
    ]);
    let state = rows[0]?.state ?? NEW_MOVE;
    const begin = () =>
      new TenantMove({
        organizationId,
        source: side(options.source),
        target: side(options.target),
        directory: directoryOf(options.controlUrl, organizationId),
        maxPauseMs: waitsAt ? LONGEST_WAIT_MS : 5_000,
        graceMs: 0,
        pageRows: 20,
        deleteRows: 50,
      });
    let move = begin();
    let failures = 0;
    /** Waits for another attempt, with connections of its own; throws where there is none. */
    const failed = async (error: unknown) => {
      await move.close();
      if (error instanceof StockyardError && error.category !== 'unavailable') throw error;
      failures += 1;
      if (failures === MAX_FAILURES) throw error;
      process.stderr.write(`${organizationId} ${state.step} failed: ${String(error)}\n`);
      await delay(RETRY_MS);
      move = begin();
    };
    const tell = (what: string) => process.stdout.write(`${organizationId} ${what}\n`);
    if (options.work === 'roll back') {
      await move.rollBack(state);
    } else {
      while (state.step !== 'done') {
        await store.query(
          'insert into saved_moves (tenant, state) values ($1, $2) on conflict (tenant) do update set state = excluded.state',
          [organizationId, JSON.stringify(state)],
        );
        if (state.step === waitsAt) await all.come();
        tell(state.step);
        try {
          state = await move.runStep(state);
          failures = 0;
        } catch (error) {
          await failed(error);
        }
      }
    }
    tell('finished');
    await move.close();
  };

  await Promise.all(options.moves.map(run));
  await store.end();
}

/** Resolves for everybody once all have come. */
class Meeting {
  private begin!: () => void;
  private readonly everybody = new Promise<void>((resolve) => (this.begin = resolve));

  constructor(private missing: number) {}

  come(): Promise<void> {
    this.missing -= 1;
    if (this.missing === 0) this.begin();
    return this.everybody;
  }
}

void main(JSON.parse(process.argv[2]!) as MoveProcessArguments);
