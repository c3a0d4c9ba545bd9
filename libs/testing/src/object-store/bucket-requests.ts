/** The calls of the S3 API that a bucket answers: what each request asks of it, and the answer. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Bucket, BucketError } from './bucket';

export interface BucketRequest {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Most entries of a page of a list. */
  readonly pageSize: number;
}

export interface BucketAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export function errorAnswer(status: number, code: string): BucketAnswer {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>` };
}

const tag = (name: string, value: string | number | boolean): string => `<${name}>${value}</${name}>`;
const xml = (name: string, ...content: readonly string[]): BucketAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0"?><${name}>${content.join('')}</${name}>`,
});

/** One page after a marker; `last` is the marker of the next page, if there is one. */
function pageAfter<T>(all: readonly T[], isAfter: (entry: T) => boolean, size: number): { page: T[]; last?: T } {
  const rest = all.filter(isAfter);
  const page = rest.slice(0, size);
  return rest.length > size ? { page, last: page[page.length - 1]! } : { page };
}

function listObjects(bucket: Bucket, { query, pageSize }: BucketRequest): BucketAnswer {
  const after = query.get('continuation-token') ?? '';
  const { page, last } = pageAfter(bucket.list(query.get('prefix') ?? ''), ({ key }) => key > after, pageSize);
  const entry = ({ key, bytes, modifiedAt, etag }: (typeof page)[number]) =>
    tag(
      'Contents',
      tag('Key', key) + tag('Size', bytes.length) + tag('LastModified', modifiedAt.toISOString()) + tag('ETag', etag),
    );
  const more = tag('IsTruncated', last !== undefined) + (last ? tag('NextContinuationToken', last.key) : '');
  return xml('ListBucketResult', ...page.map(entry), more);
}

function listUploads(bucket: Bucket, { query, pageSize }: BucketRequest): BucketAnswer {
  const [key, id] = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''];
  const all = bucket.listUploads(query.get('prefix') ?? '');
  const passed = all.findIndex((upload) => upload.key === key && upload.id === id);
  const { page, last } = pageAfter(all, (upload) => all.indexOf(upload) > passed, pageSize);
  const entry = (upload: (typeof page)[number]) =>
    tag(
      'Upload',
      tag('Key', upload.key) + tag('UploadId', upload.id) + tag('Initiated', upload.initiatedAt.toISOString()),
    );
  const next = last ? tag('NextKeyMarker', last.key) + tag('NextUploadIdMarker', last.id) : '';
  return xml('ListMultipartUploadsResult', ...page.map(entry), tag('IsTruncated', last !== undefined), next);
}

function getObject(bucket: Bucket, { key, query, headers, method }: BucketRequest): BucketAnswer {
  const { bytes, etag, modifiedAt } = bucket.get(key);
  if (headers['if-match'] !== undefined && headers['if-match'] !== etag)
    throw new BucketError(412, 'PreconditionFailed');
  const common = {
    etag,
    'last-modified': modifiedAt.toUTCString(),
    'content-type': query.get('response-content-type') ?? 'application/octet-stream',
    ...(query.has('response-content-disposition') && {
      'content-disposition': query.get('response-content-disposition')!,
    }),
  };
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
  if (!range) return { status: 200, headers: { ...common, 'content-length': String(bytes.length) }, body: bytes };
  const start = Number(range[1]);
  const end = Math.min(range[2] ? Number(range[2]) : Infinity, bytes.length - 1);
  if (start >= bytes.length) throw new BucketError(416, 'InvalidRange');
  const part = bytes.subarray(start, end + 1);
  const headersOfPart = {
    'content-length': String(part.length),
    'content-range': `bytes ${start}-${end}/${bytes.length}`,
  };
  return { status: 206, headers: { ...common, ...headersOfPart }, body: method === 'HEAD' ? '' : part };
}

function complete(bucket: Bucket, { key, query, body }: BucketRequest): BucketAnswer {
  const parts = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
  }));
  return xml('CompleteMultipartUploadResult', tag('ETag', bucket.complete(query.get('uploadId')!, key, parts).etag));
}

/** The name of a call as the API reference has it. */
export function callOf({ method, key, query }: Pick<BucketRequest, 'method' | 'key' | 'query'>): string {
  if (key === '')
    return method === 'HEAD' ? 'HeadBucket' : query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
  const multipart = query.has('uploadId');
  switch (method) {
    case 'PUT':
      return multipart ? 'UploadPart' : 'PutObject';
    case 'POST':
      return multipart ? 'CompleteMultipartUpload' : 'CreateMultipartUpload';
    case 'DELETE':
      return multipart ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return method === 'HEAD' ? 'HeadObject' : 'GetObject';
  }
}

const CALLS: Readonly<Record<string, (bucket: Bucket, request: BucketRequest) => BucketAnswer>> = {
  HeadBucket: () => ({ status: 200 }),
  ListObjectsV2: listObjects,
  ListMultipartUploads: listUploads,
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: (bucket, { key, body }) => ({ status: 200, headers: { etag: bucket.put(key, body).etag } }),
  DeleteObject: (bucket, { key }) => {
    bucket.delete(key);
    return { status: 204 };
  },
  CreateMultipartUpload: (bucket, { key }) =>
    xml('InitiateMultipartUploadResult', tag('UploadId', bucket.begin(key).id)),
  UploadPart: (bucket, { key, query, body }) => {
    const etag = bucket.putPart(query.get('uploadId')!, key, Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag } };
  },
  CompleteMultipartUpload: complete,
  AbortMultipartUpload: (bucket, { key, query }) => {
    bucket.abort(query.get('uploadId')!, key);
    return { status: 204 };
  },
};

export function answerOf(bucket: Bucket, request: BucketRequest): BucketAnswer {
  try {
    return CALLS[callOf(request)]!(bucket, request);
  } catch (error) {
    if (error instanceof BucketError) return errorAnswer(error.status, error.code);
    throw error;
  }
}
