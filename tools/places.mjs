// `npm run places [-- --repair]`: see tools/places/main.ts. It takes the environment of `npm run migrate`.
import { launch } from './launch.mjs';

launch({ main: 'tools/places/main.js', args: process.argv.slice(2), script: 'places', beside: true });
