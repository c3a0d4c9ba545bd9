// `npm run replay -- FILE.csv[.gz]`: see tools/replay/main.ts.
import { join } from 'node:path';
import { launch, STATE_DIRECTORY } from './launch.mjs';

const stack = ['--stack', join(STATE_DIRECTORY, 'stack.json')]; // options given later win
launch({ main: 'tools/replay/main.js', args: [...stack, ...process.argv.slice(2)], script: 'replay', beside: true });
