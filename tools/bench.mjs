// `npm run bench -- NAME`: see bench/main.ts.
import { launch } from './launch.mjs';

launch({ main: 'bench/main.js', args: process.argv.slice(2), script: 'bench', beside: false });
