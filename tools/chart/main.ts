/** `npm run chart`: brings rules, dashboards and the schema of the values into helm/stockyard. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { chartFiles, COPIED } from './files';

for (const directory of COPIED) {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
}
for (const [path, text] of chartFiles()) writeFileSync(path, text);
