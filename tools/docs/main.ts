/** `npm run docs`: writes the generated parts of the README between their markers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTable } from './configuration-table';
import { withSection } from './section';

const README = 'README.md';

writeFileSync(README, withSection(readFileSync(README, 'utf8'), 'configuration', configurationTable()));
