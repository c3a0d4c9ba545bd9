/**
 * Where the published schemas are: in the Go modules of Kubernetes, KEDA and the Prometheus operator, which Go downloads once, holds
 * against its checksum database and keeps (some 30 MB; nothing is compiled).
 */
import { spawnSync } from 'node:child_process';

/** In which the kinds are read. A newer one: its version here, then `npm run test:topology`. */
export const MODULES = {
  kubernetes: 'k8s.io/kubernetes@v1.37.2',
  keda: 'github.com/kedacore/keda/v2@v2.21.0',
  monitoring: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
} as const;

export type ModuleName = keyof typeof MODULES;

/** Directory by module. Throws with what Go said. */
export function moduleDirectories(): Readonly<Record<ModuleName, string>> {
  const names = Object.keys(MODULES) as ModuleName[];
  const { error, stdout, stderr } = spawnSync('go', ['mod', 'download', '-json', ...Object.values(MODULES)], {
    encoding: 'utf8',
    // Outside of any module.
    cwd: '/',
  });
  if (error) throw new Error('Missing: go. Install Go 1.26 or newer: https://go.dev/dl', { cause: error });
  const answers = JSON.parse(`[${stdout.replaceAll('}\n{', '},{')}]`) as {
    Path: string;
    Dir?: string;
    Error?: string;
  }[];
  const found = names.map((name) => {
    const path = MODULES[name].split('@')[0]!;
    const answer = answers.find(({ Path }) => Path === path);
    if (answer?.Dir) return [name, answer.Dir];
    throw new Error(`Go has no ${MODULES[name]}: ${answer?.Error ?? stderr}`);
  });
  return Object.fromEntries(found) as Record<ModuleName, string>;
}
