/** The commands of `jobs …`. */
import type { AdminApi } from './admin-api';
import type { Tell } from './follow';
import type { JobsCommand } from './jobs-options';

export interface LetterBody {
  readonly id: string;
  readonly job_id: string;
  readonly type: string;
  readonly error: { readonly code: string; readonly message: string };
  readonly attempts: number;
  readonly failed_at: string;
}

export interface HolderBody {
  readonly shard: string;
  readonly organization_id: string;
  readonly type: string;
  readonly letters: number;
  readonly oldest_failed_at: string;
}

interface JobBody {
  readonly id: string;
  readonly state: string;
}

interface Replayed {
  readonly replayed: number;
  readonly refused: readonly { readonly id: string; readonly code: string }[];
}

/** What a command did with dead letters. */
export interface LettersOutcome {
  readonly holders?: readonly HolderBody[];
  /** Shards that did not answer. */
  readonly missing?: readonly string[];
  readonly letters?: readonly LetterBody[];
  readonly has_more?: boolean;
  readonly job?: JobBody;
  readonly replayed?: Replayed;
  readonly discarded?: string;
}

/** `tenant` of the command is an id. */
export async function runJobsCommand(command: JobsCommand, api: AdminApi, tell: Tell): Promise<LettersOutcome> {
  if (command.name === 'dead-letter-holders') return holders(api, command.limit);
  const path = `/v1/admin/organizations/${command.tenant}/dead_letters`;
  switch (command.name) {
    case 'dead-letters':
      return letters(api, `${path}${query({ type: command.type, limit: command.limit })}`);
    case 'replay':
      return { job: await api.send<JobBody>('POST', `${path}/${encodeURIComponent(command.letter)}/replay`) };
    case 'replay-type':
      return { replayed: await replayType(api, `${path}/replay`, command.type, tell) };
    case 'discard':
      await api.delete(`${path}/${encodeURIComponent(command.letter)}`);
      return { discarded: command.letter };
  }
}

async function holders(api: AdminApi, limit: number | undefined): Promise<LettersOutcome> {
  const path = `/v1/admin/dead_letters${query({ limit })}`;
  const { data, missing } = await api.get<{ data: HolderBody[]; missing: string[] }>(path);
  return { holders: data, missing };
}

async function letters(api: AdminApi, path: string): Promise<LettersOutcome> {
  const { data, has_more } = await api.get<{ data: LetterBody[]; has_more: boolean }>(path);
  return { letters: data, has_more };
}

/** Page after page. What was replayed before something goes wrong stays replayed, and was told. */
async function replayType(api: AdminApi, path: string, type: string, tell: Tell): Promise<Replayed> {
  let replayed = 0;
  const refused: Replayed['refused'][number][] = [];
  for (let cursor: string | undefined; ;) {
    const done = await api.send<Replayed & { next_cursor: string | null }>('POST', path, { type, cursor });
    replayed += done.replayed;
    refused.push(...done.refused);
    if (done.next_cursor === null) return { replayed, refused };
    tell(`${type}: ${replayed} replayed`);
    cursor = done.next_cursor;
  }
}

function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}
