/**
 * A double of an S3-compatible object store: one bucket in memory behind HTTP, path-style, which answers only what is signed
 * as it should be. It can be told to fail, to hold its answers, or to break them off.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bucket } from './bucket';
import { answerOf, type BucketAnswer, callOf, errorAnswer } from './bucket-requests';
import { type Credentials, signatureFault } from './signature-v4';

const BUCKET = 'stockyard-files';
const CREDENTIALS: Credentials = {
  accessKeyId: 'AKIDOFSPECS',
  secretAccessKey: 'secret/of+specs',
  region: 'eu-central-1',
};

/** What is answered in place of the bucket: an answer, half of its answer, or (undefined) no other. May take its time. */
export type Interference = (call: string) => Promise<Instead> | Instead;
type Instead = BucketAnswer | 'half' | undefined;

export class ObjectStore {
  readonly bucket = new Bucket();
  /** Calls that were answered, in order, such as `PutObject`. */
  readonly calls: string[] = [];
  /** Most entries of a page of a list. */
  pageSize = 1_000;
  interfere: Interference = () => undefined;
  private server: Server | undefined;

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server!.close(() => resolve()));
    this.server!.closeAllConnections();
    await closed;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server!.address() as AddressInfo).port}`;
  }

  /** The variables that lead a process here, or along another way that leads here. */
  variables(endpoint = this.url): Record<string, string> {
    return {
      STORAGE_S3_BUCKET: BUCKET,
      STORAGE_S3_ENDPOINT: endpoint,
      STORAGE_S3_REGION: CREDENTIALS.region,
      STORAGE_S3_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      STORAGE_S3_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      STORAGE_S3_PATH_STYLE: 'on',
    };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '', `http://${headers.host ?? ''}`);
    const [, bucket = '', ...segments] = url.pathname.split('/');
    const asked = { method, key: decodeURIComponent(segments.join('/')), query: url.searchParams, headers, body };
    const fault = signatureFault({ method, url, headers, body }, CREDENTIALS);
    const answer = await this.answer(fault, bucket, asked);
    this.calls.push(callOf(asked));
    response.writeHead(answer.status, { 'x-amz-request-id': '1', ...answer.headers });
    if (answer.broken) response.write(answer.body?.slice(0, answer.body.length / 2) ?? '', () => response.destroy());
    else response.end(method === 'HEAD' ? undefined : answer.body);
  }

  private async answer(
    fault: string | undefined,
    bucket: string,
    asked: Omit<Parameters<typeof answerOf>[1], 'pageSize'>,
  ): Promise<BucketAnswer & { readonly broken?: boolean }> {
    if (fault !== undefined) return errorAnswer(403, fault);
    if (bucket !== BUCKET) return errorAnswer(404, 'NoSuchBucket');
    const instead = await this.interfere(callOf(asked));
    if (instead !== undefined && instead !== 'half') return instead;
    return { ...answerOf(this.bucket, { ...asked, pageSize: this.pageSize }), broken: instead === 'half' };
  }
}
