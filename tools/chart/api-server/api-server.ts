/** A real kube-apiserver over etcd, on loopback: no controllers and no nodes, so what it accepts is kept and never run. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, OwnedProcess, StopWaiting, waitFor, withLogTail } from '#libs/local-stack';
import { requirePrograms } from '#libs/testing';

const HOST = '127.0.0.1';

/** What is read of what the API server answers. */
interface Answer {
  readonly message?: string;
  readonly gitVersion?: string;
  readonly resources?: readonly Resource[];
}

export interface Resource {
  readonly name: string;
  readonly kind: string;
}

export interface Reply {
  readonly status: number;
  readonly body: Answer;
  /** What it would rather not see: deprecated fields, pods that are not restricted. */
  readonly warnings: readonly string[];
}

export class ApiServer {
  private readonly processes: OwnedProcess[] = [];
  private readonly token = randomUUID();
  private port = 0;

  private constructor(private readonly directory: string) {}

  /** Throws with the end of a log where one of the two does not come up. */
  static async start(): Promise<ApiServer> {
    const server = new ApiServer(mkdtempSync(join(tmpdir(), 'stockyard-apiserver-')));
    try {
      await server.begin();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private async begin(): Promise<void> {
    const program = execFileSync('tools/chart/api-server/install-kube-apiserver.sh', {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
    const [client, peer] = [`http://${HOST}:${await freePort()}`, `http://${HOST}:${await freePort()}`];
    requirePrograms([{ name: 'etcd', package: 'etcd-server' }]);
    await this.run('etcd', 'etcd', [
      ...['--name=stockyard', `--data-dir=${this.file('etcd')}`, '--unsafe-no-fsync'],
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=stockyard=${peer}`],
    ]);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(this.file('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(this.file('tokens.csv'), `${this.token},admin,admin,system:masters\n`, { mode: 0o600 });
    this.port = await freePort();
    await this.run('kube-apiserver', program, [
      ...[`--etcd-servers=${client}`, `--bind-address=${HOST}`, `--advertise-address=${HOST}`],
      ...[`--secure-port=${this.port}`, `--cert-dir=${this.file('certificates')}`],
      ...[`--token-auth-file=${this.file('tokens.csv')}`, '--anonymous-auth=false', '--authorization-mode=RBAC'],
      ...['--service-account-issuer=https://stockyard.invalid', '--service-cluster-ip-range=10.96.0.0/16'],
      ...[`--service-account-key-file=${this.file('key.pem')}`],
      ...[`--service-account-signing-key-file=${this.file('key.pem')}`],
      // The real ones, but for that which waits for a controller to make accounts.
      ...['--disable-admission-plugins=ServiceAccount', '--endpoint-reconciler-type=none'],
    ]);
    const isReady = async (): Promise<boolean> => {
      const ended = this.processes.find(({ running }) => !running)?.options;
      if (ended) throw new StopWaiting(withLogTail(`${ended.name} ended`, ended.logFile));
      return existsSync(this.certificate) && (await this.call('GET', '/readyz')).status === 200;
    };
    await waitFor(isReady, { what: 'the API server to be ready', timeoutMs: 120_000, intervalMs: 250 });
  }

  async stop(): Promise<void> {
    for (const one of this.processes.reverse()) await one.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** For helm. */
  kubeconfig(): string {
    const file = this.file('kubeconfig');
    const cluster = { server: `https://${HOST}:${this.port}`, 'certificate-authority': this.certificate };
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'it' },
      clusters: [{ name: 'it', cluster }],
      users: [{ name: 'it', user: { token: this.token } }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    };
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  call(method: string, path: string, body?: object, type = 'application/json'): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = { authorization: `Bearer ${this.token}`, accept: 'application/json', 'content-type': type };
      const options = { host: HOST, port: this.port, path, method, headers, ca: readFileSync(this.certificate) };
      const asked = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const answer = Buffer.concat(chunks).toString();
          const isJson = /json/.test(response.headers['content-type'] ?? '');
          const warning = [response.headersDistinct['warning'] ?? []].flat();
          resolve({
            status: response.statusCode!,
            body: isJson ? (JSON.parse(answer) as Answer) : { message: answer },
            warnings: warning.map((one) => one.replace(/^299 - "(.*)"$/, '$1')),
          });
        });
      });
      asked.once('error', reject);
      asked.end(text);
    });
  }

  private get certificate(): string {
    return this.file('certificates/apiserver.crt');
  }

  private file(name: string): string {
    return join(this.directory, name);
  }

  private async run(name: string, command: string, args: readonly string[]): Promise<void> {
    const [logFile, pidFile] = [this.file(`${name}.log`), this.file(`${name}.pid`)];
    this.processes.push(await OwnedProcess.start({ name, command, args, logFile, pidFile, stopSignal: 'SIGTERM' }));
  }
}
