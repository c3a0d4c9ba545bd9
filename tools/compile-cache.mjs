// Keeps what V8 makes of the sources of the processes beside dist/, so that a process that starts does not compile some 1,900
// files again. Specs and the local stack name the directory in NODE_COMPILE_CACHE. It is filled here, last in `npm run build`:
// a process that is killed, or that ends by a signal, writes nothing. Node checks each file's content, so old entries do no harm.
import module from 'node:module'; // by its default: `npm start` reads this file with Node 20, which has no such cache
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = resolve(fileURLToPath(import.meta.url), '..', '..', 'dist');

/** The directory, for the environment of processes. */
export const COMPILE_CACHE = join(DIST, '.compile-cache');

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  module.enableCompileCache(COMPILE_CACHE);
  const require = module.createRequire(join(DIST, 'main.js'));
  for (const name of ['api', 'worker', 'metrics']) require(`./apps/${name}/src/create-${name}.js`);
  module.flushCompileCache();
}
