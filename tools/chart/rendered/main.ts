/** `npm run chart:snapshots`: renders the chart with every set of values and keeps what comes out in tools/chart/snapshots. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { template } from './helm';
import { snapshotOf } from './snapshot';
import { optionsOf, snapshotPath, VALUE_SETS } from './value-sets';

rmSync('tools/chart/snapshots', { recursive: true, force: true });
mkdirSync('tools/chart/snapshots');
for (const [name, files] of VALUE_SETS) writeFileSync(snapshotPath(name), snapshotOf(template(optionsOf(files))));
