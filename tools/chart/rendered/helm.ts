/** Runs the helm that tools/chart/install-helm.sh builds, and keeps. */
import { execFileSync, spawnSync } from 'node:child_process';
import { CHART } from '../files';

let program: string | undefined;

/** Where helm is. Builds it from its Go module where it is not there yet, which takes minutes. */
export function helmProgram(): string {
  program ??= execFileSync('tools/chart/install-helm.sh', {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  return program;
}

export interface HelmAnswer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Does not throw when helm refuses. */
export function helm(...options: readonly string[]): HelmAnswer {
  const { error, status, stdout, stderr } = spawnSync(helmProgram(), options, {
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
    // No cluster of whoever runs this.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, KUBECONFIG: '/dev/null' },
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** What the API server would get, as YAML. Throws with what helm said. */
export function template(options: readonly string[], chart: string = CHART): string {
  const answer = helm('template', RELEASE, chart, '--namespace', NAMESPACE, ...options);
  if (answer.status !== 0) throw new Error(answer.stderr);
  return answer.stdout;
}

export const RELEASE = 'shop';
export const NAMESPACE = 'shop';
