// `npm run drills [-- PAGE…]`: see tools/drills/main.ts.
import { launch } from './launch.mjs';

launch({ main: 'tools/drills/main.js', args: process.argv.slice(2), script: 'drills', beside: true });
