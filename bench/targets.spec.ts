/** bench/targets.json names benches that exist and bounds that can be told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCHES } from './benches';
import type { Targets } from './harness/targets';

const targets = JSON.parse(readFileSync(join(__dirname, 'targets.json'), 'utf8')) as Targets;

it('every bench has a target and every target a bench', () => {
  expect(Object.keys(targets).sort()).toEqual(BENCHES.map(({ name }) => name).sort());
});

it('every bound is a number', () => {
  for (const bounds of Object.values(targets).flatMap((figures) => Object.values(figures))) {
    expect(Object.keys(bounds).length).toBeGreaterThan(0);
    for (const [side, value] of Object.entries(bounds))
      expect([['min', 'max'].includes(side), typeof value]).toEqual([true, 'number']);
  }
});
