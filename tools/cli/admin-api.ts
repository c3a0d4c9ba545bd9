/** The operators' part of the REST API, as the command line calls it. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface OrganizationBody {
  readonly id: string;
  readonly slug: string;
  readonly state: string;
  readonly tier: string;
  readonly epoch: number;
}

export interface OperationBody {
  readonly id: string;
  readonly organization_id: string;
  readonly kind: string;
  readonly state: 'queued' | 'running' | 'completed' | 'failed' | 'rolled_back';
  readonly step: string | null;
  readonly rolling_back: boolean;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly progress: Readonly<Record<string, unknown>>;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Call extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  /** Of `operation_in_progress`. */
  readonly operation?: Pick<OperationBody, 'id' | 'kind' | 'parameters'>;
}

/** The api said no. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(`${problem.detail ?? `The api answered ${status}.`} (${problem.code ?? status})`);
  }
}

/** No api answered. */
export class Unreachable extends Error {}

export class AdminApi {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path, {});
  }

  send<T>(method: 'POST' | 'PATCH', path: string, body: unknown = {}): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.call<T>(method, path, { headers, body: JSON.stringify(body) });
  }

  async delete(path: string): Promise<void> {
    await this.fetch('DELETE', path, {});
  }

  upload<T>(path: string, file: string): Promise<T> {
    const headers = { 'content-type': 'application/gzip' };
    return this.call<T>('POST', path, { headers, body: Readable.toWeb(createReadStream(file)), duplex: 'half' });
  }

  /** Writes what a path answers into a file that only its owner can read; whole or not at all. Resolves with its SHA-256. */
  async download(path: string, file: string): Promise<string> {
    const response = await this.fetch('GET', path, {});
    const partial = `${file}.partial`;
    const digest = createHash('sha256');
    try {
      const source = Readable.fromWeb(response.body!);
      source.on('data', (chunk: Buffer) => digest.update(chunk));
      await pipeline(source, createWriteStream(partial, { mode: 0o600 }));
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    return digest.digest('hex');
  }

  private async call<T>(method: string, path: string, init: Call): Promise<T> {
    return (await (await this.fetch(method, path, init)).json()) as T;
  }

  private async fetch(method: string, path: string, init: Call): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.token}`, accept: 'application/json' };
    let response: Response;
    try {
      response = await fetch(this.url + path, { ...init, method, headers });
    } catch (error) {
      const { cause } = error as { cause?: Error };
      throw new Unreachable(`No api answers at ${this.url} (${cause?.message ?? String(error)}).`, { cause: error });
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Problem;
    throw new Refusal(response.status, problem);
  }
}
