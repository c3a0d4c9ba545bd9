/** Refuses a request by its head alone, before its body is read: how long its address is, its query, its headers. */
import type { IncomingMessage } from 'node:http';
import { StockyardError } from '#libs/kernel';
import type { EdgeLimits } from './edge-limits';

type HeadLimits = Pick<EdgeLimits, 'URL_LIMIT_BYTES' | 'QUERY_LIMIT_PARAMETERS' | 'HEADERS_LIMIT'>;

export function headRefusal({ url = '', rawHeaders }: IncomingMessage, limits: HeadLimits): StockyardError | undefined {
  if (url.length > limits.URL_LIMIT_BYTES) return uriTooLong(limits);
  if (parametersOf(url) > limits.QUERY_LIMIT_PARAMETERS) return tooManyParameters(limits);
  if (rawHeaders.length / 2 > limits.HEADERS_LIMIT) return tooManyHeaders(limits);
  return undefined;
}

/** Counted as they stand there: repeated ones become one list when they are parsed. */
function parametersOf(url: string): number {
  const query = url.indexOf('?');
  if (query === -1) return 0;
  let count = 1;
  for (let at = url.indexOf('&', query); at !== -1; at = url.indexOf('&', at + 1)) count += 1;
  return count;
}

export function uriTooLong({ URL_LIMIT_BYTES: limit }: Pick<HeadLimits, 'URL_LIMIT_BYTES'>): StockyardError {
  return new StockyardError({
    code: 'uri_too_long',
    category: 'uri_too_long',
    message: `The path with its query is longer than ${limit} bytes; ask for less at once.`,
    details: { limit_bytes: limit },
  });
}

function tooManyParameters({ QUERY_LIMIT_PARAMETERS: limit }: HeadLimits): StockyardError {
  return new StockyardError({
    code: 'too_many_query_parameters',
    category: 'invalid',
    param: 'query',
    message: `The query has more than ${limit} parameters; ask for less at once.`,
    details: { limit },
  });
}

function tooManyHeaders({ HEADERS_LIMIT: limit }: HeadLimits): StockyardError {
  return new StockyardError({
    code: 'too_many_headers',
    category: 'headers_too_large',
    message: `The request has more than ${limit} headers; leave out those that say nothing to this server.`,
    details: { limit },
  });
}
