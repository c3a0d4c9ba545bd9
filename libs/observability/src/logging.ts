/**
 * Logs: one JSON object a line on standard output. Each carries the process, and inside a tenant's work its
 * organization and request. Secrets are cut out by field name wherever they stand up to three levels deep.
 */
import { RequestMethod } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import type { TenantContextHolder } from '#libs/tenancy';
import type { Params } from 'nestjs-pino';
import { stdTimeFunctions, symbols } from 'pino';
import type { ProcessName } from './process-name';
import { QUIET_PATHS } from './quiet-paths';

const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'password_hash',
  'passwordHash',
  'key',
  'api_key',
  'apiKey',
  'token',
  'access_token',
  'accessToken',
  'refresh_token',
  'refreshToken',
  'admin_token',
  'secret',
];

interface LoggedRequest {
  readonly id?: unknown;
  readonly method?: string;
  readonly url?: string;
}

/** Links to files hold all that is needed to have them. */
const SEALED_PATH = /(\/v1\/files\/).+$/s;
/** The router takes `http://host/path` for a path. */
const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/]*/i;
const ENCODED_ASCII = /%([0-7][\da-f])/gi;

/**
 * The path of a request without what opens something: its query, which may hold a signature, and the seal of a link, however
 * the client has written the path. It is decoded as far as the router does, which finds a route by the decoded path.
 */
function path(url: string | undefined): string {
  const [raw] = (url ?? '').replace(AUTHORITY, '').split(/[?#]/, 1);
  const decoded = raw!.replace(ENCODED_ASCII, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return decoded.replace(SEALED_PATH, '$1[redacted]');
}

function redactionPaths(): string[] {
  const field = (name: string) => (/^\w+$/.test(name) ? `.${name}` : `["${name}"]`);
  return SECRET_FIELDS.flatMap((name) => ['', '*', '*.*'].map((above) => `${above}${field(name)}`.replace(/^\./, '')));
}

/** Whether it puts the request's id into its lines by itself, as the logger of a request does: JSON that names it twice is none. */
function namesRequest(logger: object): boolean {
  const bindings: unknown = Reflect.get(logger, symbols.chindingsSym);
  return typeof bindings === 'string' && bindings.includes('"request_id":');
}

export interface LogOptions {
  readonly config: Pick<AppConfig, 'LOG_LEVEL' | 'NODE_ENV' | 'version'>;
  readonly process: ProcessName;
  readonly tenant: TenantContextHolder;
}

/** Parameters of nestjs-pino. Under NODE_ENV=test nothing is logged unless LOG_LEVEL says otherwise. */
export function logParams({ config, process, tenant }: LogOptions): Params {
  const quietTest = config.NODE_ENV === 'test' && config.LOG_LEVEL === 'info';
  return {
    forRoutes: [{ path: '*splat', method: RequestMethod.ALL }], // its own default matches nothing on Fastify
    pinoHttp: {
      level: quietTest ? 'silent' : config.LOG_LEVEL,
      base: { process, version: config.version },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactionPaths(), censor: '[redacted]' },
      mixin: (_entry, _level, logger) => {
        const context = tenant.peek();
        if (!context) return {};
        const { organizationId: organization_id, requestId: request_id } = context;
        return namesRequest(logger) ? { organization_id } : { organization_id, request_id };
      },
      mixinMergeStrategy: (entry, added) => ({ ...added, ...entry }),
      customAttributeKeys: { req: 'request', res: 'response', reqId: 'request_id', responseTime: 'duration_ms' },
      quietReqLogger: true, // inside a request only its id is repeated on each line
      serializers: {
        request: ({ id, method, url }: LoggedRequest) => ({ id, method, path: path(url) }),
        response: ({ statusCode }: { statusCode?: number }) => ({ status: statusCode }),
      },
      customLogLevel: ({ url }, { statusCode }) => {
        if (statusCode >= 500) return 'error';
        return QUIET_PATHS.test(path(url)) ? 'debug' : 'info';
      },
    },
  };
}
