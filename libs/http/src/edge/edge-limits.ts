/** What a client may take of a process before anything knows who it is: docs/edge.md has them as a table. */
import type { AppConfig } from '#libs/config';

export type EdgeLimits = Pick<
  AppConfig,
  | 'URL_LIMIT_BYTES'
  | 'QUERY_LIMIT_PARAMETERS'
  | 'HEADERS_LIMIT_BYTES'
  | 'HEADERS_LIMIT'
  | 'HEADERS_TIMEOUT_MS'
  | 'BODY_LIMIT_BYTES'
  | 'BODY_LIMIT_DEPTH'
  | 'BODY_TIMEOUT_MS'
  | 'UPLOAD_TIMEOUT_MS'
  | 'ANSWER_MIN_BYTES_PER_SECOND'
  | 'ANSWER_WINDOW_MS'
  | 'CONNECTIONS_LIMIT'
  | 'CONNECTIONS_LIMIT_IDLE'
  | 'KEEP_ALIVE_MS'
>;

/** How long a connection that is to be closed stays open for the client to read why. */
export const LINGER_MS = 2_000;
/** What is read and thrown away meanwhile: a client that writes all it has before it reads comes to its end. */
export const LINGER_BYTES = 1_048_576;
/** Requests under way on one connection, sent without waiting for the answers before. */
export const PIPELINE_LIMIT = 100;
