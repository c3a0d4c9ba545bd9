/** nginx and HAProxy before two apis, from the files of deploy/, and what each wrote of requests. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { OwnedProcess } from '#libs/local-stack';
import { findProgram, REQUIRED_PROGRAMS, waitFor } from '#libs/testing';

const DEPLOY = join(process.cwd(), 'deploy');

/** A busy machine makes an api slow to say that it is ready, and says nothing of the api. */
const PATIENT = { BALANCER_CHECK_TIMEOUT_MS: '5000' };

export type ApiName = 'api-1' | 'api-2';

export interface BalancerPorts {
  readonly apis: Readonly<Record<ApiName, number>>;
  readonly metrics: number;
  /** Its own: of the api, the same over TLS, of the dashboard. */
  readonly listen: { readonly api: number; readonly tls: number; readonly metrics: number };
}

export interface Handled {
  readonly requestId: string;
  readonly status: number;
  /** The last one tried; undefined where none was. */
  readonly upstream: ApiName | undefined;
}

export type BalancerKind = 'nginx' | 'haproxy';

export class Balancer {
  private constructor(
    private readonly ports: BalancerPorts,
    private readonly directory: string,
    private readonly processes: readonly OwnedProcess[],
  ) {}

  /** `checkMs`: how often /ready is asked. Resolves when it answers. */
  static async start(kind: BalancerKind, ports: BalancerPorts, checkMs: number): Promise<Balancer> {
    const directory = mkdtempSync(join(tmpdir(), `stockyard-${kind}-`));
    chmodSync(directory, 0o755); // workers of nginx are another user's
    const variables = { ...variablesOf(ports, directory), BALANCER_CHECK_MS: String(checkMs), ...PATIENT };
    certificate(directory);
    const started = kind === 'nginx' ? await nginx(directory, variables) : [await haproxy(directory, variables)];
    const balancer = new Balancer(ports, directory, started);
    const answers = async () => (await fetch(`${balancer.url}/ready`)).ok;
    await waitFor(answers, { what: `${kind} to answer`, timeoutMs: 20_000 }).catch(async (error: unknown) => {
      const said = balancer.output;
      await balancer.stop();
      throw new Error(`${(error as Error).message}\n${said}`);
    });
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.listen.api}`;
  }

  get tlsUrl(): string {
    return `https://127.0.0.1:${this.ports.listen.tls}`;
  }

  get dashboardUrl(): string {
    return `http://127.0.0.1:${this.ports.listen.metrics}`;
  }

  /** What it has answered. HAProxy says nothing where it hangs up: on a connection that was open before and broke off. */
  get handled(): Handled[] {
    return this.output.split('\n').flatMap((line) => {
      if (!line.startsWith('{') || !line.endsWith('}')) return [];
      const entry = JSON.parse(line) as Record<'request_id' | 'status' | 'upstream', string>;
      return [{ requestId: entry.request_id, status: Number(entry.status), upstream: this.nameOf(entry.upstream) }];
    });
  }

  get output(): string {
    return readFileSync(join(this.directory, 'balancer.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.stop()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private nameOf(upstream: string): ApiName | undefined {
    const { apis } = this.ports;
    const last = upstream.split(', ').at(-1) ?? '';
    const matches = (name: ApiName) => last.startsWith(name) || last === `127.0.0.1:${apis[name]}`;
    return (['api-1', 'api-2'] as const).find(matches);
  }
}

function variablesOf({ apis, metrics, listen }: BalancerPorts, directory: string): Record<string, string> {
  const at = (port: number) => `127.0.0.1:${port}`;
  return {
    BALANCER_DIR: directory,
    BALANCER_API_1: at(apis['api-1']),
    BALANCER_API_2: at(apis['api-2']),
    BALANCER_METRICS: at(metrics),
    BALANCER_LISTEN: at(listen.api),
    BALANCER_METRICS_LISTEN: at(listen.metrics),
    BALANCER_RESOLVER: '127.0.0.1', // addresses need none
    BALANCER_SERVER_OPTIONS: '',
    BALANCER_TLS: directory,
    BALANCER_TLS_LISTEN: at(listen.tls),
    BALANCER_TLS_PEM: join(directory, 'haproxy.pem'),
  };
}

function certificate(directory: string): void {
  const [key, chain] = [join(directory, 'privkey.pem'), join(directory, 'fullchain.pem')];
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2';
  execFileSync('openssl', ['req', ...options.split(' '), '-keyout', key, '-out', chain], { stdio: 'ignore' });
  writeFileSync(join(directory, 'haproxy.pem'), readFileSync(chain, 'utf8') + readFileSync(key, 'utf8'));
}

/** As the entry point of the official image does it: variables of this name alone. One that is missing stays, and nginx refuses it. */
function render(template: string, to: string, variables: Readonly<Record<string, string>>): void {
  const text = readFileSync(template, 'utf8');
  const rendered = text.replace(/\$\{(BALANCER_\w+)\}/g, (whole, name: string) => variables[name] ?? whole);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, rendered);
}

async function nginx(directory: string, variables: Record<string, string>): Promise<OwnedProcess[]> {
  const templates = join(DEPLOY, 'nginx/templates');
  for (const name of readdirSync(templates, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.template')) continue;
    render(join(templates, name), join(directory, name.replace(/\.template$/, '')), variables);
  }
  // Beside the server without TLS, which is what else the example has, at an address of its own.
  const besides = { ...variables, BALANCER_LISTEN: `unix:${directory}/redirect.sock` };
  render(join(DEPLOY, 'nginx/examples/tls.conf.template'), join(directory, 'servers/tls.conf'), besides);
  const args = ['-e', 'stderr', '-p', directory, '-c', 'nginx.conf', '-g', 'daemon off;'];
  const checks = await start('checks', directory, 'sh', [join(DEPLOY, 'nginx/ready-checks.sh')], variables, 'SIGTERM');
  return [await start('balancer', directory, program('nginx'), args, variables, 'SIGTERM'), checks];
}

function haproxy(directory: string, variables: Record<string, string>): Promise<OwnedProcess> {
  const files = ['haproxy.cfg', 'tls.cfg'].flatMap((name) => ['-f', join(DEPLOY, 'haproxy', name)]);
  return start('balancer', directory, program('haproxy'), ['-db', ...files], variables, 'SIGTERM');
}

function program(name: string): string {
  return findProgram(REQUIRED_PROGRAMS.find((each) => each.name === name)!)!;
}

function start(
  name: string,
  directory: string,
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  stopSignal: NodeJS.Signals,
): Promise<OwnedProcess> {
  const [logFile, pidFile] = [join(directory, `${name}.log`), join(directory, `${name}.pid.json`)];
  const env = { PATH: process.env.PATH ?? '', ...variables };
  return OwnedProcess.start({ name, command, args, env, logFile, pidFile, stopSignal });
}
