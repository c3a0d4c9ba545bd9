/** The commands. Each resolves with what it has to show, or throws what is to be told. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isUuid } from '#libs/kernel';
import { type AdminApi, type OperationBody, type OrganizationBody, Refusal } from './admin-api';
import { follow, type Tell } from './follow';
import { type LettersOutcome, runJobsCommand } from './jobs-commands';
import type { Command } from './options';
import { reconcile, type ReconcileOutcome } from './reconcile-command';

/** What a command did: the resource it answers with, and the file it wrote. */
export interface Outcome extends LettersOutcome, ReconcileOutcome {
  readonly organization?: OrganizationBody;
  readonly operation?: OperationBody;
  readonly file?: string;
}

/** An operation that did not end well. */
export class OperationFailure extends Error {}

type Of<N extends Command['name']> = Extract<Command, { name: N }>;

export function run(command: Command, api: AdminApi, tell: Tell): Promise<Outcome> {
  switch (command.name) {
    case 'create':
      return organization(api.send('POST', '/v1/admin/organizations', command.organization));
    case 'show':
      return organization(find(api, command.tenant));
    case 'suspend':
      return setState(api, command.tenant, 'suspended');
    case 'resume':
      return setState(api, command.tenant, 'active');
    case 'export':
      return exportTenant(api, command, tell);
    case 'import':
      return importTenant(api, command, tell);
    case 'delete':
      return operate(api, command.tenant, { kind: 'delete', moved_to: command.movedTo }, tell);
    case 'move':
      return operate(api, command.tenant, { kind: 'move', shard: command.shard }, tell);
    case 'rollback':
      return rollBack(api, command.tenant, tell);
    case 'reconcile':
      return idOf(api, command.tenant).then((id) => reconcile({ ...command, tenant: id }, api, tell));
    case 'dead-letter-holders':
      return runJobsCommand(command, api, tell);
    default:
      return idOf(api, command.tenant).then((id) => runJobsCommand({ ...command, tenant: id }, api, tell));
  }
}

async function organization(answer: Promise<OrganizationBody>): Promise<Outcome> {
  return { organization: await answer };
}

function find(api: AdminApi, tenant: string): Promise<OrganizationBody> {
  return isUuid(tenant) ? api.get(`/v1/admin/organizations/${tenant}`) : findBySlug(api, tenant);
}

async function findBySlug(api: AdminApi, slug: string): Promise<OrganizationBody> {
  const query = encodeURIComponent(slug);
  const { data } = await api.get<{ data: OrganizationBody[] }>(`/v1/admin/organizations?slug=${query}`);
  if (data[0]) return data[0];
  throw new Refusal(404, { code: 'not_found', detail: `There is no organization with the slug "${slug}".` });
}

/** An id is taken as it is: while a deletion ends, its organization is not to be found any more. */
async function idOf(api: AdminApi, tenant: string): Promise<string> {
  return isUuid(tenant) ? tenant : (await find(api, tenant)).id;
}

async function setState(api: AdminApi, tenant: string, state: 'active' | 'suspended'): Promise<Outcome> {
  const { id } = await find(api, tenant);
  return organization(api.send('PATCH', `/v1/admin/organizations/${id}`, { state }));
}

async function operate(
  api: AdminApi,
  tenant: string,
  wanted: { kind: string; shard?: string; moved_to?: string | undefined },
  tell: Tell,
): Promise<Outcome> {
  const path = `/v1/admin/organizations/${await idOf(api, tenant)}/operations`;
  const same: Same = ({ kind, parameters }) =>
    kind === wanted.kind && parameters.shard === wanted.shard && parameters.moved_to === wanted.moved_to;
  return followed(api, await startOrJoin(api.send<OperationBody>('POST', path, wanted), same, tell), tell);
}

async function exportTenant(api: AdminApi, { tenant, out }: Of<'export'>, tell: Tell): Promise<Outcome> {
  const { id, slug } = await find(api, tenant);
  const { operation } = await operate(api, id, { kind: 'export' }, tell);
  const file = out ?? `${slug}.tar.gz`;
  const sha256 = await api.download(`/v1/admin/operations/${operation!.id}/archive`, file);
  if (sha256 !== operation!.result?.sha256)
    throw new OperationFailure(`${file} did not arrive whole: run the command again.`);
  return { operation: operation!, file };
}

async function importTenant(api: AdminApi, { file, slug }: Of<'import'>, tell: Tell): Promise<Outcome> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer);
  const sha256 = digest.digest('hex');
  const query = slug === undefined ? '' : `?slug=${encodeURIComponent(slug)}`;
  const same: Same = ({ kind, parameters }) =>
    kind === 'import' && parameters.sha256 === sha256 && parameters.slug === slug;
  const started = api.upload<OperationBody>(`/v1/admin/imports${query}`, file);
  return followed(api, await startOrJoin(started, same, tell), tell);
}

async function rollBack(api: AdminApi, tenant: string, tell: Tell): Promise<Outcome> {
  const id = await idOf(api, tenant);
  const { data } = await api.get<{ data: OperationBody[] }>(`/v1/admin/operations?organization_id=${id}&limit=1`);
  const open = data.find(({ kind, state }) => kind === 'move' && (state === 'queued' || state === 'running'));
  if (!open) throw new Refusal(409, { code: 'no_move', detail: 'No move of this organization is under way.' });
  await api.send('POST', `/v1/admin/operations/${open.id}/rollback`);
  const operation = await follow(api, open.id, tell);
  if (operation.state === 'rolled_back') return { operation };
  throw new OperationFailure(
    `The move is ${operation.state}: ${operation.error?.message ?? 'it was not rolled back.'}`,
  );
}

type Same = (open: { kind: string; parameters: Readonly<Record<string, unknown>> }) => boolean;

/** The operation that was asked for, or the one under way where it is the same. */
async function startOrJoin(started: Promise<OperationBody>, same: Same, tell: Tell): Promise<string> {
  try {
    return (await started).id;
  } catch (error) {
    const open = error instanceof Refusal ? error.problem.operation : undefined;
    if (!open || !same(open)) throw error;
    tell(`${open.kind}: already under way, going on with it`);
    return open.id;
  }
}

async function followed(api: AdminApi, id: string, tell: Tell): Promise<Outcome> {
  const operation = await follow(api, id, tell);
  if (operation.state === 'completed') return { operation };
  const { kind, state, error } = operation;
  const why = error ? `${error.message} (${error.code})` : 'nothing was changed.';
  throw new OperationFailure(`The ${kind} ${state === 'failed' ? 'failed' : 'was rolled back'}: ${why}`);
}
