/** Operations as operators ask for them and follow them. The workers run them. */
import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { shardElsewhere, unknownShard } from '#libs/database';
import { decodeCursor, isUuid, newId } from '#libs/kernel';
import { PlatformEvents } from '#libs/messaging';
import { FileStore } from '#libs/storage';
import { type RegionConfig, Regions, TenantContextHolder } from '#libs/tenancy';
import { readManifestOf } from '../archive/archive-reader';
import { archiveKey } from '../archive/manifest';
import { splitStream } from '../archive/split-stream';
import { OrganizationRecords, type OrganizationRecord } from '../directory/organization-records';
import type { Facts, NewOperation, Operation } from './operation';
import {
  alreadyThere,
  noArchive,
  notUndoable,
  operationInProgress,
  operationNotFound,
  organizationExists,
  organizationNotFound,
  slugTaken,
  stateLocked,
} from './operation.error';
import { OperationRepository } from './operation.repository';

export type OperationRequest =
  | { readonly kind: 'export' }
  | { readonly kind: 'delete'; readonly moved_to?: string | undefined }
  | { readonly kind: 'move'; readonly shard: string };

export interface ImportRequest {
  readonly content: AsyncIterable<Uint8Array>;
  /** In place of the slug that the organization had. */
  readonly slug?: string | undefined;
  readonly requestId: string;
}

export interface OperationQuery {
  readonly organizationId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface StoredArchive {
  readonly stream: Readable;
  readonly bytes: number;
  readonly filename: string;
}

/** No request, and so no upload, takes longer. */
const UPLOAD_MS = 660_000;
const UPLOAD_FAILED = {
  code: 'upload_failed',
  message: 'The archive did not arrive; the answer to the upload said why.',
};

@Injectable()
export class OperationService {
  private readonly regions: Regions;

  constructor(
    private readonly repository: OperationRepository,
    private readonly records: OrganizationRecords,
    private readonly files: FileStore,
    private readonly tenant: TenantContextHolder,
    private readonly events: PlatformEvents,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'shards' | 'UPLOAD_LIMIT_BYTES'> & RegionConfig,
  ) {
    this.regions = new Regions(config);
  }

  /**
   * Queues an operation. Throws `operation_in_progress` (409) while another one is open for the organization, and what
   * speaks against the operation itself: `not_found`, `organization_state_locked`, `unknown_shard`, `shard_in_other_region`,
   * `already_there`, `unknown_region`; `wrong_region` (421) for an organization of another region.
   */
  async request(tenant: string, request: OperationRequest, requestId: string): Promise<Operation> {
    const parameters = this.parametersOf(request);
    await this.refuseSecond(tenant); // first: a deletion that is about to end has no organization any more
    const record = await this.records.find(tenant);
    if (!record) throw organizationNotFound();
    this.regions.requireServed(record);
    this.checkOrganization(record, request);
    return this.queue({ tenant, kind: request.kind, parameters, requestId });
  }

  /**
   * Takes an archive in and queues its import. What can be refused after a look at the manifest is refused before the rest
   * is read: `archive_damaged`, `archive_incompatible` (422), `organization_exists`, `slug_taken` (409).
   */
  async import({ content, slug, requestId }: ImportRequest): Promise<Operation> {
    const upload = splitStream(content);
    const { organization } = await readManifestOf(upload.head());
    const tenant = organization.id;
    await this.refuseSecond(tenant);
    if (await this.records.find(tenant)) throw organizationExists(tenant);
    const wanted = slug ?? organization.slug;
    if (await this.records.isSlugTaken(wanted)) throw slugTaken(wanted);
    // The operation stands before the upload: if this process is lost, a worker finds it and deletes what has arrived.
    const { id } = await this.queue({ tenant, kind: 'import', parameters: {}, requestId }, UPLOAD_MS);
    const limits = { maxBytes: this.config.UPLOAD_LIMIT_BYTES, confidential: true };
    try {
      const stored = await this.inTenant(tenant, () => this.files.put(archiveKey(id), upload.whole(), limits));
      const parameters: Facts = { ...stored, ...(slug === undefined ? {} : { slug }) };
      const operation = await this.repository.prepared(id, parameters);
      this.events.publish('operation.ready', {});
      return operation ?? (await this.get(id));
    } catch (error) {
      await this.repository.abandon(id, UPLOAD_FAILED);
      throw error;
    }
  }

  async get(id: string): Promise<Operation> {
    const operation = await this.repository.find(id);
    if (!operation) throw operationNotFound();
    return operation;
  }

  /** A page of operations, newest first, and one more where there are more. */
  list({ organizationId, cursor, limit }: OperationQuery): Promise<Operation[]> {
    const before = cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
    return this.repository.page(before, organizationId ?? null, limit + 1);
  }

  /** Asks for an open operation to be undone. Throws `operation_not_undoable` (409) from its point of no return on. */
  async rollBack(id: string): Promise<Operation> {
    const asked = await this.repository.askRollBack(id);
    if (!asked) {
      const operation = await this.get(id);
      if (operation.rollingBack && operation.finishedAt === null) return operation;
      throw notUndoable(operation);
    }
    this.events.publish('operation.ready', {});
    return asked;
  }

  /** The archive of a completed export. Throws `operation_has_no_archive` (409) or `file_not_found` (404). */
  async archive(id: string): Promise<StoredArchive> {
    const operation = await this.get(id);
    if (operation.kind !== 'export' || operation.state !== 'completed') throw noArchive(operation);
    return this.inTenant(operation.tenant, async () => {
      const stream = await this.files.open(archiveKey(id));
      const { bytes } = (await this.files.stat(archiveKey(id)))!;
      return { stream, bytes, filename: `${operation.tenant}.tar.gz` };
    });
  }

  private async queue(wanted: NewOperation, delayMs?: number): Promise<Operation> {
    const queued = await this.repository.insert(wanted, delayMs);
    if (!queued) {
      await this.refuseSecond(wanted.tenant);
      return this.queue(wanted, delayMs); // the other one has just ended
    }
    this.events.publish('operation.ready', {});
    return queued;
  }

  private async refuseSecond(tenant: string): Promise<void> {
    const open = await this.repository.findOpen(tenant);
    if (open) throw operationInProgress(open);
  }

  private parametersOf(request: OperationRequest): Facts {
    if (request.kind === 'move') {
      this.checkShard(request.shard);
      return { shard: request.shard };
    }
    if (request.kind === 'export' || request.moved_to === undefined) return {};
    this.regions.requireOther(request.moved_to, 'moved_to');
    return { moved_to: request.moved_to };
  }

  private checkShard(shard: string): void {
    const known = this.config.shards.map(({ name }) => name);
    if (known.includes(shard)) return;
    const region = this.regions.ofShard(shard);
    throw region === undefined ? unknownShard(shard, known) : shardElsewhere(shard, region, this.regions.own);
  }

  private checkOrganization({ state, shard }: OrganizationRecord, request: OperationRequest): void {
    if (request.kind === 'move' && request.shard === shard) throw alreadyThere(shard);
    // A deletion may be asked for again: whatever held an earlier one up, the next goes on from there.
    if (request.kind !== 'delete' && state !== 'active' && state !== 'suspended') throw stateLocked(state);
  }

  private inTenant<T>(organizationId: string, work: () => Promise<T>): Promise<T> {
    const actor = { type: 'operator', id: null } as const;
    return this.tenant.run({ organizationId, actor, permissions: new Set<string>(), requestId: newId() }, work);
  }
}
