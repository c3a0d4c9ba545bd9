// `npm run simulate -- [TRACE…]`: see tools/autoscale/main.ts.
import { launch } from './launch.mjs';

launch({ main: 'tools/autoscale/main.js', args: process.argv.slice(2), script: 'simulate', beside: true });
