/**
 * Logs: one JSON object a line on standard output. Each carries the process, the trace and facts of the work that it belongs
 * to, and inside a tenant's its organization and request. Secrets are cut out three times: by the name of their
 * field, of errors everything that is not known to be harmless, and at last by their form from the line as text.
 */
import { RequestMethod } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import type { TenantContextHolder } from '#libs/tenancy';
import { currentWork, type Work } from '#libs/tracing';
import type { Params } from 'nestjs-pino';
import { stdTimeFunctions, symbols } from 'pino';
import { loggedError } from './logged-error';
import type { ProcessName } from './process-name';
import { isQuietPath, shownPath } from './request-path';
import { scrubber } from './secrets/scrub';
import { withoutSecretFields } from './secrets/secret-fields';
import { workOf } from './tracing/request-work';

interface LoggedRequest {
  readonly id?: unknown;
  readonly method?: string;
  readonly url?: string;
  /** Where a middleware has cut something off. */
  readonly originalUrl?: string;
}

interface LoggedResponse {
  readonly statusCode?: number;
  readonly headersSent?: boolean;
}

/** Whether it puts the request's id into its lines by itself, as the logger of a request does: JSON that names it twice is none. */
function namesRequest(logger: object): boolean {
  const bindings: unknown = Reflect.get(logger, symbols.chindingsSym);
  return typeof bindings === 'string' && bindings.includes('"request_id":');
}

function factsOf(work: Work | undefined): Readonly<Record<string, string>> {
  if (!work) return {};
  const { traceId: trace_id, spanId: span_id } = work.ids;
  return { trace_id, span_id, ...work.facts };
}

/** The line of a request is written when its reply has gone, outside of its work. */
function ofRequest(request: object, _response: unknown, entry: object): object {
  return { ...factsOf(workOf(request)), ...entry };
}

export interface LogOptions {
  readonly config: Pick<AppConfig, 'LOG_LEVEL' | 'NODE_ENV' | 'version'>;
  readonly process: ProcessName;
  readonly tenant: TenantContextHolder;
  /** Cut out of every line, whatever they stand in. */
  readonly secrets?: readonly string[];
}

/** The form of a line, whoever writes it. Under NODE_ENV=test nothing is logged unless LOG_LEVEL says otherwise. */
export function lineFormat({ config, process, secrets = [] }: Omit<LogOptions, 'tenant'>) {
  const scrub = scrubber(secrets);
  const quietTest = config.NODE_ENV === 'test' && config.LOG_LEVEL === 'info';
  return {
    level: quietTest ? 'silent' : config.LOG_LEVEL,
    base: { process, version: config.version },
    timestamp: stdTimeFunctions.isoTime,
    messageKey: 'message',
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: (line: string) => scrub(withoutSecretFields(line)) },
    serializers: { err: loggedError },
  };
}

/** Parameters of nestjs-pino. */
export function logParams({ tenant, ...options }: LogOptions): Params {
  const format = lineFormat(options);
  return {
    forRoutes: [{ path: '*splat', method: RequestMethod.ALL }], // its own default matches nothing on Fastify
    pinoHttp: {
      ...format,
      mixin: (_entry, _level, logger) => {
        const facts = factsOf(currentWork());
        const context = tenant.peek();
        if (!context) return { ...facts };
        const { organizationId: organization_id, requestId: request_id } = context;
        return namesRequest(logger) ? { ...facts, organization_id } : { ...facts, organization_id, request_id };
      },
      mixinMergeStrategy: (entry, added) => ({ ...added, ...entry }),
      customAttributeKeys: { req: 'request', res: 'response', reqId: 'request_id', responseTime: 'duration_ms' },
      quietReqLogger: true, // inside a request only its id is repeated on each line
      customSuccessObject: ofRequest,
      customErrorObject: (request, response, _error, entry: object) => ofRequest(request, response, entry),
      wrapSerializers: false, // its own copies errors whole first
      serializers: {
        ...format.serializers,
        request: ({ id, method, url, originalUrl = url }: LoggedRequest) => ({
          id,
          method,
          path: shownPath(originalUrl),
        }),
        response: ({ statusCode, headersSent }: LoggedResponse) => ({
          status: headersSent === false ? null : statusCode,
        }),
      },
      customLogLevel: ({ url }, { statusCode }) => {
        if (statusCode >= 500) return 'error';
        return isQuietPath(url) ? 'debug' : 'info';
      },
    },
  };
}
