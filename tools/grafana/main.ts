/** `npm run grafana`: writes the dashboards of deploy/grafana from this directory. */
import { writeFileSync } from 'node:fs';
import { DASHBOARDS } from './files';

for (const [path, dashboard] of DASHBOARDS) writeFileSync(path, `${JSON.stringify(dashboard)}\n`);
