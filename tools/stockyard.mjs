// `npm run stockyard -- tenant …`: see tools/cli/main.ts. STOCKYARD_API_URL names an api other than the local stack's.
import { join } from 'node:path';
import { launch, STATE_DIRECTORY } from './launch.mjs';

const { STOCKYARD_API_URL: url } = process.env;
const connection = url ? ['--api', url] : ['--stack', join(STATE_DIRECTORY, 'stack.json')]; // options given later win
launch({
  main: 'tools/cli/main.js',
  args: [...connection, ...process.argv.slice(2)],
  script: 'stockyard',
  beside: true,
});
