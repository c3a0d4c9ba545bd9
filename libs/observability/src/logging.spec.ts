import { AsyncLocalStorage } from 'node:async_hooks';
import { newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsService } from 'nestjs-cls';
import { type Logger, pino, type LoggerOptions } from 'pino';
import { logParams } from './logging';

const tenant = new TenantContextHolder(new ClsService(new AsyncLocalStorage()));

function logger(NODE_ENV: 'test' | 'production' = 'production', LOG_LEVEL: 'info' | 'debug' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const { pinoHttp } = logParams({ config: { NODE_ENV, LOG_LEVEL, version: '1.2.3' }, process: 'api', tenant });
  const log: Logger = pino(pinoHttp as LoggerOptions, {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { log, lines, options: pinoHttp as { customLogLevel(request: unknown, response: unknown): string } };
}

describe('logs', () => {
  it('are JSON with level, time, process and message', () => {
    const { log, lines } = logger();
    log.info({ count: 2 }, 'hello');
    expect(lines[0]).toMatchObject({ level: 'info', process: 'api', version: '1.2.3', count: 2, message: 'hello' });
    expect(new Date(lines[0]!.time as string).getTime()).not.toBeNaN();
  });

  it.each(['authorization', 'set-cookie', 'password', 'key', 'api_key', 'refreshToken', 'token', 'secret'])(
    'hold no %s, however deep it stands',
    (field) => {
      const { log, lines } = logger();
      log.info({ [field]: 'hidden', a: { [field]: 'hidden', b: { [field]: 'hidden' } } }, 'm');
      expect(JSON.stringify(lines)).not.toContain('hidden');
      expect(lines[0]![field]).toBe('[redacted]');
    },
  );

  it('name organization and request inside the work of a tenant', () => {
    const { log, lines } = logger();
    const context = {
      organizationId: newId(),
      actor: { type: 'system', id: null },
      permissions: new Set<string>(),
    } as const;
    tenant.run({ ...context, requestId: 'r-1' }, () => log.info('m'));
    log.info('outside');
    expect(lines[0]).toMatchObject({ organization_id: context.organizationId, request_id: 'r-1' });
    expect(lines[1]).not.toHaveProperty('organization_id');
  });

  it('show of a request its id, method and path without the query', () => {
    const { log, lines } = logger();
    log.info({
      request: { id: 'r', method: 'GET', url: '/files/1?signature=hidden', headers: { authorization: 'hidden' } },
    });
    expect(lines[0]!.request).toEqual({ id: 'r', method: 'GET', path: '/files/1' });
  });

  it('are quiet about probes that succeed, and loud about failures', () => {
    const { options } = logger();
    const level = (url: string, statusCode: number) => options.customLogLevel({ url }, { statusCode });
    expect([level('/ready', 200), level('/api/health?x', 200), level('/v1/orders', 404)]).toEqual([
      'debug',
      'debug',
      'info',
    ]);
    expect([level('/ready', 503), level('/v1/orders', 500)]).toEqual(['error', 'error']);
  });

  it('are silent in tests unless a level is asked for', () => {
    expect(logger('test').log.level).toBe('silent');
    expect(logger('test', 'debug').log.level).toBe('debug');
  });
});
