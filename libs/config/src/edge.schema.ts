/** What a request may be, and how long its client may take: docs/edge.md. */
import { count } from './setting';

export const EDGE_SETTINGS = {
  URL_LIMIT_BYTES: count(8_192, 65_536, 'Longest path of a request with its query, before 414.'),
  QUERY_LIMIT_PARAMETERS: count(100, 10_000, 'Most parameters in a query, before 400.'),
  HEADERS_LIMIT_BYTES: count(16_384, 1_048_576, 'Request line and headers together, before 431.'),
  HEADERS_LIMIT: count(100, 10_000, 'Most headers of a request, before 431.'),
  HEADERS_TIMEOUT_MS: count(15_000, 600_000, 'Longest time for a request’s headers to arrive, before 408.'),
  BODY_LIMIT_BYTES: count(1_048_576, 104_857_600, 'Largest JSON body.'),
  BODY_LIMIT_DEPTH: count(64, 1_000, 'Deepest nesting of objects and lists in a JSON body, before 400.'),
  BODY_TIMEOUT_MS: count(30_000, 600_000, 'Longest time for a JSON body to arrive, before 408.'),
  UPLOAD_LIMIT_BYTES: count(
    2_147_483_648,
    1_099_511_627_776,
    'Largest upload: a CSV file, or the archive of a tenant.',
  ),
  UPLOAD_TIMEOUT_MS: count(3_600_000, 86_400_000, 'Longest time for an upload to arrive, before 408.'),
  UPLOAD_MIN_BYTES_PER_SECOND: count(
    4_096,
    1_073_741_824,
    'Least rate of an upload in each UPLOAD_WINDOW_MS, before 408; only waiting for the client counts.',
  ),
  UPLOAD_WINDOW_MS: count(30_000, 600_000, 'Over how much waiting for the client that rate is measured.'),
  UPLOAD_GRACE_MS: count(10_000, 600_000, 'How much longer the first such window is.'),
  ANSWER_MIN_BYTES_PER_SECOND: count(
    1_024,
    1_073_741_824,
    'Least rate at which a client takes what waits for it in each ANSWER_WINDOW_MS, before its connection is cut off.',
  ),
  ANSWER_WINDOW_MS: count(30_000, 600_000, 'Over how much time that rate is measured.'),
  CONNECTIONS_LIMIT: count(10_000, 1_000_000, 'Connections that a process keeps open at once, before 503.'),
  CONNECTIONS_LIMIT_IDLE: count(
    2_000,
    1_000_000,
    'Of them, those between two requests; beyond, the one that has been idle for longest is closed.',
  ),
  KEEP_ALIVE_MS: count(
    65_000,
    3_600_000,
    'How long a connection may be idle; more than the idle timeout of the load balancer in front.',
  ),
};
