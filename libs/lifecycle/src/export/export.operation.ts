/**
 * Exports a tenant: everything that is needed to restore it, password and key hashes included.
 *
 * - `dump`: each table into a file of its own, all under one snapshot; the manifest over these and the tenant's files
 * - `pack`: one archive from them; it appears whole or not at all
 * - `clean_up`: the single files go
 *
 * Every step starts over when it is repeated. Rows of one moment, files as they are when they are read: a file is written
 * once under its key, so it is either the one that the rows speak of, or newer than all of them.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { inTenantSnapshot, readRows, ShardConnections, type TenantTable, tenantTables } from '#libs/database';
import { FileStore } from '#libs/storage';
import type { Client } from 'pg';
import { ARCHIVE_FORMAT, ARCHIVE_VERSION, archiveKey, MANIFEST_FILE, OPERATIONS_FOLDER } from '../archive/manifest';
import { type Manifest, type ManifestFile, type ManifestTable, spoolFolder, tableFile } from '../archive/manifest';
import { archiveTooLarge } from '../archive/archive.error';
import { MAX_LINE_BYTES, MAX_MANIFEST_BYTES } from '../archive/archive-limits';
import { type ArchiveEntry, writeArchive } from '../archive/archive-writer';
import { isDirectoryTable } from '../directory/directory-tables';
import { OrganizationRecords } from '../directory/organization-records';
import { schemaVersion } from '../directory/place';
import type { Facts } from '../operation/operation';
import { OperationHandler, OperationHandlers, type StepContext } from '../operation/operation-handler';
import { organizationNotFound } from '../operation/operation.error';

const UNBOUNDED = { maxBytes: Number.MAX_SAFE_INTEGER, confidential: true } as const;

@Injectable()
export class ExportOperation extends OperationHandler implements OnModuleInit {
  override readonly kind = 'export';
  override readonly steps = ['dump', 'pack', 'clean_up'] as const;
  override readonly pointOfNoReturn = null;

  constructor(
    private readonly handlers: OperationHandlers,
    private readonly records: OrganizationRecords,
    private readonly shards: ShardConnections,
    private readonly files: FileStore,
  ) {
    super();
  }

  onModuleInit(): void {
    this.handlers.add(this);
  }

  override async runStep(step: string, memory: Facts, context: StepContext): Promise<Facts> {
    const { id } = context.operation;
    if (step === 'dump') return this.dump(context);
    if (step === 'pack') return { ...memory, ...(await this.pack(context)) };
    await this.files.deleteAll(spoolFolder(id));
    return memory;
  }

  override async rollBack(_memory: Facts, { operation }: StepContext): Promise<void> {
    await this.files.deleteAll(spoolFolder(operation.id));
    await this.files.delete(archiveKey(operation.id));
  }

  override result(memory: Facts): Facts {
    return memory;
  }

  private async dump(context: StepContext): Promise<Facts> {
    const { id, tenant } = context.operation;
    await this.files.deleteAll(spoolFolder(id));
    const record = await this.records.find(tenant);
    if (!record) throw organizationNotFound();
    const { shard, ...organization } = record;
    const created_at = new Date().toISOString();
    const { schema, tables } = await this.shards.use(shard, 'mover', (client) =>
      inTenantSnapshot(client, tenant, () => this.dumpTables(client, context)),
    );
    const files = await this.digestFiles(context.signal);
    const manifest: Manifest = {
      format: ARCHIVE_FORMAT,
      version: ARCHIVE_VERSION,
      ...{ schema, created_at, organization, tables, files },
    };
    const text = JSON.stringify(manifest, null, 1);
    requireReadable(text, MANIFEST_FILE, MAX_MANIFEST_BYTES);
    await this.files.put(spoolKey(id, 'manifest.json'), bytesOf(text), UNBOUNDED);
    return { rows: sum(tables.map(({ rows }) => rows)), tables: tables.length, files: files.length };
  }

  private async dumpTables(client: Client, context: StepContext): Promise<Pick<Manifest, 'schema' | 'tables'>> {
    const tables: ManifestTable[] = [];
    for (const table of await tenantTables(client)) {
      if (isDirectoryTable(table.name)) continue;
      tables.push(await this.dumpTable(client, table, context));
      context.report({ tables: tables.length, rows: sum(tables.map(({ rows }) => rows)) });
    }
    return { schema: await schemaVersion(client), tables };
  }

  private async dumpTable(client: Client, table: TenantTable, context: StepContext): Promise<ManifestTable> {
    const { id, tenant } = context.operation;
    let rows = 0;
    async function* content(): AsyncGenerator<Buffer> {
      for await (const page of readRows(client, tenant, table)) {
        context.signal.throwIfAborted();
        for (const line of page) requireReadable(line, `a line of ${tableFile(table.name)}`, MAX_LINE_BYTES);
        rows += page.length;
        yield Buffer.from(`${page.join('\n')}\n`);
      }
    }
    const { bytes, sha256 } = await this.files.put(spoolKey(id, `${table.name}.ndjson`), content(), UNBOUNDED);
    const columns = table.columns.map(({ name }) => name);
    return { name: table.name, file: tableFile(table.name), columns, rows, bytes, sha256 };
  }

  private async digestFiles(signal: AbortSignal): Promise<ManifestFile[]> {
    const files: ManifestFile[] = [];
    for await (const { key } of this.files.list()) {
      signal.throwIfAborted();
      if (key.startsWith(`${OPERATIONS_FOLDER}/`)) continue;
      const digest = createHash('sha256');
      let bytes = 0;
      for await (const chunk of (await this.files.open(key)) as AsyncIterable<Buffer>) {
        digest.update(chunk);
        bytes += chunk.length;
      }
      files.push({ key, file: `files/${key}`, bytes, sha256: digest.digest('hex') });
    }
    return files;
  }

  private async pack({ operation: { id }, signal }: StepContext): Promise<Facts> {
    const text = await read(await this.files.open(spoolKey(id, 'manifest.json')));
    const manifest = JSON.parse(text) as Manifest;
    const head = {
      name: MANIFEST_FILE,
      bytes: Buffer.byteLength(text),
      open: () => Promise.resolve(Readable.from([Buffer.from(text)])),
    };
    const entries: ArchiveEntry[] = [
      head,
      ...manifest.tables.map(({ name, file, bytes }) => ({
        name: file,
        bytes,
        open: () => this.files.open(spoolKey(id, `${name}.ndjson`)),
      })),
      ...manifest.files.map(({ key, file, bytes }) => ({ name: file, bytes, open: () => this.files.open(key) })),
    ];
    const archive = writeArchive(entries, new Date(manifest.created_at));
    const { bytes, sha256 } = await this.files.put(archiveKey(id), interruptible(archive, signal), UNBOUNDED);
    return { bytes, sha256 };
  }
}

/** Better no archive than one that no import takes. */
function requireReadable(text: string, what: string, limitBytes: number): void {
  if (Buffer.byteLength(text) > limitBytes) throw archiveTooLarge(what, limitBytes);
}

const spoolKey = (operationId: string, file: string): string => `${spoolFolder(operationId)}/${file}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

async function* bytesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function read(stream: Readable): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString('utf8');
}

async function* interruptible(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    signal.throwIfAborted();
    yield chunk;
  }
}
