/**
 * Looks at levels, some hundred at a time: at those that are noted to have crossed their threshold, or at all of them. A step
 * commits with the job's checkpoint; a repetition, and the order of jobs, change nothing, because what counts is the level as it
 * stands under its lock.
 */
import { Injectable } from '@nestjs/common';
import { type Statement, type StatementResult, TenantDatabase } from '#libs/database';
import type { JobContext } from '#libs/queues';
import { comparedLevels, lockLooked, notedLevels, settleAlerts } from './stock-alert.statements';

const PAGE = 100;
const FIRST = '00000000-0000-0000-0000-000000000000';

interface Level {
  readonly product: string;
  readonly place: string;
}

/** So far; at the end the result of the job. */
export interface Looked {
  readonly levels: number;
  readonly opened: number;
  readonly resolved: number;
}

export interface AlertCheckpoint extends Looked {
  readonly after: Level;
  readonly ended: boolean;
}

type Context = JobContext<object, AlertCheckpoint>;

/** A page of levels: how many there were, which of them to look at closely, and where the next page begins. */
interface LevelPage {
  readonly levels: number;
  readonly suspect: readonly Level[];
  readonly last: Level;
}

const BEGINNING: AlertCheckpoint = {
  ...{ levels: 0, opened: 0, resolved: 0 },
  after: { product: FIRST, place: FIRST },
  ended: false,
};

@Injectable()
export class AlertChecks {
  constructor(private readonly database: TenantDatabase) {}

  /** Those that are noted. What is noted behind the one that it has come to has a job of its own. */
  noted(context: Context): Promise<Looked & Record<string, unknown>> {
    return this.run(context, async (after) => {
      const suspect = await this.database.statement<Level>(notedLevels(after.product, after.place, PAGE));
      return { levels: suspect.length, suspect, last: suspect.at(-1) ?? after };
    });
  }

  /** All of them. */
  all(context: Context): Promise<Looked & Record<string, unknown>> {
    return this.run(context, async (after) => {
      const page = comparedLevels(after.product, after.place, PAGE);
      const [found] = await this.database.statement<Level & { levels: number; wrong: readonly Level[] }>(page);
      const { levels, wrong, product, place } = found!;
      return { levels, suspect: wrong, last: { product, place } };
    });
  }

  private async run(
    context: Context,
    next: (after: Level) => Promise<LevelPage>,
  ): Promise<Looked & Record<string, unknown>> {
    let done = context.checkpoint ?? BEGINNING;
    while (!done.ended) done = await this.settle(context, done, await next(done.after));
    const { levels, opened, resolved } = done;
    return { levels, opened, resolved };
  }

  /**
   * The counts of a step are known only when it has committed, so they go into the checkpoint of the next one: those of the last
   * step of a run that another worker goes on with may be missing from the result.
   */
  private async settle(context: Context, done: AlertCheckpoint, page: LevelPage): Promise<AlertCheckpoint> {
    const { levels, suspect, last } = page;
    const checkpoint = {
      ...done,
      levels: done.levels + levels,
      after: levels === 0 ? done.after : last,
      ended: levels < PAGE,
    };
    const statements = suspect.length === 0 ? [] : statementsFor(suspect);
    const results = await context.commit({
      ...{ checkpoint, statements },
      ...{ processed: checkpoint.levels, failed: 0, total: null },
    });
    return { ...checkpoint, ...countsOf(done, results) };
  }
}

function statementsFor(levels: readonly Level[]): Statement[] {
  const keys = JSON.stringify(levels);
  return [lockLooked(keys), settleAlerts(keys)];
}

function countsOf(done: AlertCheckpoint, results: readonly StatementResult<unknown>[]) {
  const [settled] = (results[1]?.rows ?? []) as { opened: number; resolved: number }[];
  return { opened: done.opened + (settled?.opened ?? 0), resolved: done.resolved + (settled?.resolved ?? 0) };
}
