/**
 * An error as it stands in the log. Only what is named here: errors of libraries carry what was sent along (parameters of a
 * statement, arguments of AUTH, whole requests with their headers), and a server's `detail` shows the row.
 */

/** Of Postgres, Node and our own errors. */
const FACTS = ['code', 'category', 'param', 'severity', 'schema', 'table', 'column', 'constraint', 'syscall', 'reason'];
const DEEPEST = 5;
const MOST_ERRORS = 10;

type Fields = Readonly<Record<string, unknown>>;

function factsOf(error: Fields): Fields {
  const facts = FACTS.map((name) => [name, error[name]] as const);
  return Object.fromEntries(facts.filter(([, fact]) => typeof fact === 'string' || typeof fact === 'number'));
}

/** The serializer of `err`. What is no error is shown by its type. */
export function loggedError(thrown: unknown, depth = 0): unknown {
  if (typeof thrown === 'string') return { type: 'string', message: thrown };
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) return thrown === null ? null : { type: typeof thrown };
  const error = thrown as Error & Fields;
  const { cause, errors } = error as { readonly cause?: unknown; readonly errors?: unknown };
  return {
    type: typeOf(error),
    message: error.message,
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    ...factsOf(error),
    ...(cause !== undefined && depth < DEEPEST && { cause: loggedError(cause, depth + 1) }),
    ...(Array.isArray(errors) &&
      depth < DEEPEST && { errors: errors.slice(0, MOST_ERRORS).map((one) => loggedError(one, depth + 1)) }),
  };
}

/** What has no prototype has no constructor either. */
function typeOf(error: object): string {
  const made: unknown = Reflect.get(error, 'constructor');
  return typeof made === 'function' ? made.name : 'Error';
}

function isErrorLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'message' in value;
}
