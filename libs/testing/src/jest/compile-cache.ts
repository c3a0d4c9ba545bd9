/** Where processes of specs find compiled what `npm run build` built and compiled: as tools/compile-cache.mjs has it. */
import { join } from 'node:path';

export const COMPILE_CACHE = join(process.cwd(), 'dist', '.compile-cache');
