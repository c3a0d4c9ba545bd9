/**
 * Services of docker-compose.yml run as contained processes of this machine, from the compose file itself: its commands, users,
 * mounts and environments. What differs from containers: the addresses (all are ports of the loopback) and whose /usr it is.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Compose, Service } from './compose';
import { environmentOf, lastOf, readDockerfile, type Stage, stepsOf } from './dockerfile';
import { ContainedProcess, makeDirectory, type Mount } from './sandbox';

export interface DeploymentOptions {
  /** The repository. */
  readonly root: string;
  readonly compose: Compose;
  /** Where the root file systems of the targets are. */
  readonly tree: (target: string) => string;
  /** Here, of each service that listens. */
  readonly ports: Readonly<Record<string, number>>;
  /** Holds everything that is written. */
  readonly directory: string;
  /** Directories of programs beside /usr/bin. */
  readonly path: readonly string[];
  /** Changes of mounted configuration files, by the service: what is found once becomes what is said. */
  readonly changes: Readonly<Record<string, readonly (readonly [file: string, found: string, said: string])[]>>;
  /** Variables above those of the compose file, by the service. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const WELL_KNOWN: Readonly<Record<string, string>> = {
  'api-1': '3000',
  pgbouncer: '6432',
  'pgbouncer-replica': '6432',
  postgres: '5432',
  'postgres-replica': '5432',
  'redis-queue': '6379',
  'redis-cache': '6379',
};

export class Deployment {
  readonly running: ContainedProcess[] = [];
  private readonly stages: readonly Stage[];

  constructor(private readonly options: DeploymentOptions) {
    this.stages = readDockerfile(join(options.root, 'Dockerfile'));
  }

  /** `command` in place of its own, as `docker compose run` has it. */
  async start(name: string, command?: readonly string[]): Promise<ContainedProcess> {
    const service = this.options.compose.services[name]!;
    const process = await ContainedProcess.start({
      name,
      root: this.rootOf(name, service),
      user: this.userOf(service),
      command: this.commandOf(service, command).map((word) => this.here(word)),
      environment: this.environmentOf(name, service),
      workdir: service.build ? lastOf(this.steps(service), 'WORKDIR')!.text : '/',
      mounts: this.mountsOf(name, service),
      directory: this.directoryOf(name),
    });
    this.running.push(process);
    return process;
  }

  async end(): Promise<void> {
    await Promise.all(this.running.map((process) => process.kill()));
  }

  /** A word with addresses of services in it, as it is here. */
  here(word: string): string {
    return Object.entries(WELL_KNOWN).reduce(
      (text, [name, port]) =>
        text.replaceAll(new RegExp(`(?<![\\w-])${name}:${port}(?!\\d)`, 'g'), `127.0.0.1:${this.options.ports[name]}`),
      word,
    );
  }

  private steps({ build }: Service) {
    return build ? stepsOf(this.stages, build.target) : [];
  }

  private directoryOf(name: string): string {
    return join(this.options.directory, 'services', name);
  }

  private rootOf(name: string, { build }: Service): string {
    if (build) return this.options.tree(build.target);
    const root = join(this.directoryOf(name), 'root');
    mkdirSync(root, { recursive: true });
    return root;
  }

  private userOf(service: Service): { uid: number; gid: number } {
    const [uid, gid] = (service.user ?? lastOf(this.steps(service), 'USER')!.text).split(':').map(Number);
    return { uid: uid!, gid: gid! };
  }

  private commandOf(service: Service, command = service.command): readonly string[] {
    const own = command ?? (service.entrypoint ? [] : lastOf(this.steps(service), 'CMD')?.words) ?? [];
    return [...(service.entrypoint ?? []), ...own];
  }

  private environmentOf(name: string, service: Service): Record<string, string> {
    const environment = {
      PATH: ['/usr/local/bin', ...this.options.path, '/usr/sbin', '/usr/bin'].join(':'),
      ...environmentOf(this.steps(service)),
      ...service.environment,
      ...this.options.variables[name],
    };
    return Object.fromEntries(Object.entries(environment).map(([variable, value]) => [variable, this.here(value)]));
  }

  private mountsOf(name: string, service: Service): Mount[] {
    const volumes = (service.volumes ?? [])
      .map((volume) => volume.split(':'))
      .map(([source = '', target = '', mode]) => ({
        source: source.startsWith('./') ? this.configuration(name, source) : this.volume(source, target, service),
        target,
        writable: mode !== 'ro',
      }));
    const memory = (service.tmpfs ?? []).map((line) => {
      const [target = '', options = ''] = line.split(':');
      const option = (key: string) => new RegExp(`\\b${key}=(\\d+)`).exec(options)?.[1] ?? '0';
      const [uid, gid, mode] = [
        Number(option('uid')),
        Number(option('gid')),
        Number.parseInt(option('mode'), 8),
      ] as const;
      const source = makeDirectory(join(this.directoryOf(name), 'memory', target), { uid, gid, mode });
      return { source, target, writable: true };
    });
    return [...volumes, ...memory];
  }

  /** As Docker fills a new volume: with the owner that the image gives the place. */
  private volume(source: string, target: string, service: Service): string {
    const path = join(this.options.directory, 'volumes', source);
    if (existsSync(path)) return path;
    const place = service.build ? statSync(join(this.options.tree(service.build.target), target)) : undefined;
    const { uid, gid, mode } = place ?? { ...this.userOf(service), mode: 0o755 };
    return makeDirectory(path, { uid, gid, mode: mode & 0o7777 });
  }

  private configuration(name: string, source: string): string {
    const copy = join(this.directoryOf(name), 'configuration', source);
    cpSync(join(this.options.root, source), copy, { recursive: true });
    for (const [file, found, said] of this.options.changes[name] ?? []) {
      const text = readFileSync(join(copy, file), 'utf8');
      if (text.split(found).length !== 2) throw new Error(`${source}/${file} has no, or more than one, "${found}".`);
      writeFileSync(join(copy, file), text.replace(found, said));
    }
    return copy;
  }
}
