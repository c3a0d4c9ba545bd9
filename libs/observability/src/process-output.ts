/**
 * What a process says beside its log. Libraries print errors to the console as they are (BullMQ prints the arguments of a refused
 * AUTH, the password with them), and Node does so with an error that nobody caught. All of that becomes lines of the log, and
 * plain text on stderr is searched for secrets like a line.
 */
import { format } from 'node:util';
import type { AppConfig } from '#libs/config';
import { type Level, pino } from 'pino';
import { lineFormat } from './logging';
import type { ProcessName } from './process-name';
import { scrubber } from './secrets/scrub';
import { secretValues } from './secrets/secret-values';

const LEVELS = { error: 'error', warn: 'warn', info: 'info', log: 'info', debug: 'debug' } as const;

/** For the main file of a process, as the first thing after its configuration. */
export function guardOutput(config: AppConfig, name: ProcessName): void {
  const secrets = secretValues(config);
  const log = pino(lineFormat({ config, process: name, secrets })).child({ context: 'Console' });
  for (const [method, level] of Object.entries(LEVELS)) Reflect.set(console, method, printed(log, level));
  const scrub = scrubber(secrets);
  const { stderr } = process;
  const write = stderr.write.bind(stderr) as (...given: unknown[]) => boolean;
  stderr.write = (chunk: Uint8Array | string, ...more: unknown[]) =>
    write(typeof chunk === 'string' ? scrub(chunk) : chunk, ...more);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'An error that nobody caught ends the process.');
    process.exit(1);
  });
}

function printed(log: pino.Logger, level: Level) {
  return (...given: unknown[]): void => {
    const error = given.find((one) => one instanceof Error);
    const text = format(...given.map((one) => (one instanceof Error ? one.message : one)));
    if (error) log[level]({ err: error }, text);
    else log[level](text);
  };
}
