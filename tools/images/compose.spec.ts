/** docker-compose.yml against the code, the Dockerfile and the configuration files that it mounts. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ENVIRONMENT_SCHEMA, loadConfig, type ProcessName, secretsOf } from '#libs/config';
import {
  bytes,
  MissingVariable,
  networksOf,
  readCompose,
  readVariables,
  seconds,
  type Service,
  variablesOf,
} from './compose';
import { environmentOf, lastOf, readDockerfile, stepsOf } from './dockerfile';

const ROOT = join(__dirname, '../..');
const FILE = join(ROOT, 'docker-compose.yml');
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const settings = ENVIRONMENT_SCHEMA.properties as Record<string, { default?: unknown }>;
const stages = readDockerfile(join(ROOT, 'Dockerfile'));

/** The .env that deploy/new-env.sh writes. */
function newEnvironment(): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'stockyard-env-'));
  try {
    mkdirSync(join(directory, 'deploy'));
    cpSync(join(ROOT, '.env.example'), join(directory, '.env.example'));
    cpSync(join(ROOT, 'deploy/new-env.sh'), join(directory, 'deploy/new-env.sh'));
    const run = () => spawnSync('sh', ['deploy/new-env.sh'], { cwd: directory, encoding: 'utf8' });
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(join(directory, '.env')).mode & 0o777).toBe(0o600);
    const written = readFileSync(join(directory, '.env'), 'utf8');
    expect(run().status).toBe(1); // never over one that is there
    expect(readFileSync(join(directory, '.env'), 'utf8')).toBe(written);
    return readVariables(join(directory, '.env'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const environment = newEnvironment();
const compose = readCompose(FILE, environment);
const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build !== undefined);
/** Which process a service is, by what it runs. */
function processOf([name, service]: [string, Service]): ProcessName {
  if (name === 'migrate') return 'migrate';
  if (name === 'stockyard') return 'operator';
  return service.build!.target as ProcessName;
}
/** What its process finds in its environment. */
const processEnvironment = (service: Service): Record<string, string> => ({
  ...environmentOf(stepsOf(stages, service.build!.target)),
  ...service.environment,
});
const serving = ours.filter(([name]) => !['migrate', 'stockyard'].includes(name));

describe('the environment of docker-compose.yml', () => {
  it('names each secret that is missing, and how to make it', () => {
    const required = variablesOf(FILE).filter(({ required }) => required);
    expect(required.length).toBeGreaterThan(10);
    const example = readVariables(join(ROOT, '.env.example'));
    for (const { name } of required) {
      expect(example).toHaveProperty(name, '');
      const without = { ...environment, [name]: '' };
      expect(() => readCompose(FILE, without)).toThrow(MissingVariable);
      expect(() => readCompose(FILE, without)).toThrow(`${name}: run sh deploy/new-env.sh`);
    }
  });

  it('is what .env.example lists, no more and no less', () => {
    expect(
      variablesOf(FILE)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(readVariables(join(ROOT, '.env.example'))).sort());
  });

  it('has a secret of its own for each thing, that fits into a URL', () => {
    const secrets = variablesOf(FILE)
      .filter(({ required }) => required)
      .map(({ name }) => environment[name]!);
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{40,}$/);
  });

  it.each(ours)('gives %s what its process knows, accepts, and needs', (...entry) => {
    const [, service] = entry;
    const name = processOf(entry);
    const given = processEnvironment(service);
    expect(Object.keys(given).filter((variable) => settings[variable] === undefined)).toEqual(['NODE_OPTIONS']);
    expect(() => loadConfig(given, {}, name)).not.toThrow();
    const everySecret = (['api', 'worker', 'metrics', 'migrate', 'operator'] as const).flatMap((one) => secretsOf(one));
    const needless = [...new Set(everySecret)].filter((secret) => !secretsOf(name).includes(secret));
    expect(needless.filter((secret) => secret in given)).toEqual([]);
  });

  it('runs every class of jobs in one worker', () => {
    const workers = serving.filter(([, { build }]) => build!.target === 'worker');
    const classes = workers.flatMap(([, { environment }]) => environment!['WORKER_CLASSES']!.split(','));
    expect(classes.sort()).toEqual(String(settings['WORKER_CLASSES']!.default).split(',').sort());
  });

  it('builds images of this release', () => {
    const { version } = JSON.parse(text('package.json')) as { version: string };
    for (const [, { image, build }] of ours) {
      expect(image).toBe(`stockyard-${build!.target}:${version}`);
      expect(stages.map(({ name }) => name)).toContain(build!.target);
    }
  });
});

describe('what a service of docker-compose.yml may do', () => {
  it.each(services)('%s: pinned, unprivileged, unable to write to itself, bounded', (_name, service) => {
    if (!service.build) expect(service.image).toMatch(/^[\w./-]+:v?\d+\.\d+[\w.-]*$/);
    const user = service.build ? lastOf(stepsOf(stages, service.build.target), 'USER')!.text : service.user;
    expect(user).toMatch(/^[1-9]\d*(:\d+)?$/);
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.logging?.options).toHaveProperty('max-size');
    const { cpus, memory, pids } = service.deploy!.resources!.limits!;
    expect([Number(cpus) > 0, bytes(memory) > 0, Number(pids) > 0]).toEqual([true, true, true]);
  });

  it('opens ports for the balancer and the dashboards, and by default to this machine alone', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name]) => name).sort()).toEqual(['grafana', 'nginx']);
    for (const [, { ports }] of published) for (const port of ports!) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('gives the processes the resources of the design', () => {
    for (const [, { deploy }] of serving) {
      expect(deploy!.resources).toMatchObject({
        limits: { cpus: '0.5', memory: '512M' },
        reservations: { cpus: '0.25', memory: '256M' },
      });
    }
  });

  it('lets a process finish before it is killed', () => {
    for (const [, service] of serving) {
      const grace = loadConfig({ ...service.environment, NODE_ENV: 'test' }).SHUTDOWN_GRACE_MS / 1000;
      expect(seconds(service.stop_grace_period!)).toBeGreaterThanOrEqual(grace + 5);
      expect(service.init).toBe(true);
    }
  });
});

describe('how the services of docker-compose.yml come together', () => {
  const healthy = (service: Service) =>
    service.healthcheck?.disable !== true &&
    (service.healthcheck?.test !== undefined ||
      (service.build !== undefined && lastOf(stepsOf(stages, service.build.target), 'HEALTHCHECK') !== undefined));

  it('has a check for everything that stays', () => {
    const staying = services.filter(([, { restart }]) => restart === 'unless-stopped');
    expect(staying.filter(([, service]) => !healthy(service)).map(([name]) => name)).toEqual([]);
    expect(services.filter(([, { restart }]) => restart === 'no').map(([name]) => name)).toEqual([
      'migrate',
      'stockyard',
    ]);
  });

  it('waits for what is there, can be waited for, and in no circle', () => {
    const depth = (name: string, above: readonly string[]): number => {
      expect(above).not.toContain(name);
      const needs = Object.keys(compose.services[name]!.depends_on ?? {});
      return Math.max(0, ...needs.map((need) => 1 + depth(need, [...above, name])));
    };
    for (const [name, { depends_on = {} }] of services) {
      depth(name, []);
      for (const [need, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[need]!;
        if (condition === 'service_completed_successfully') expect(service.restart).toBe('no');
        else expect([condition, healthy(service)]).toEqual(['service_healthy', true]);
      }
    }
    for (const [, { depends_on }] of serving)
      expect(depends_on).toMatchObject({ migrate: { condition: 'service_completed_successfully' } });
  });

  it('reaches each address that it is given', () => {
    const listens = (name: string): string => {
      if (name.startsWith('pgbouncer'))
        return /^listen_port = (\d+)$/m.exec(text('deploy/pgbouncer/pgbouncer.ini'))![1]!;
      if (name.startsWith('redis')) return '6379';
      if (name.startsWith('postgres')) return '5432';
      if (name === 'prometheus') return '9090';
      return String(settings[`${compose.services[name]!.build!.target.toUpperCase()}_PORT`]!.default);
    };
    let addresses = 0;
    for (const [name, service] of services) {
      const words = [...Object.values(service.environment ?? {}), ...(service.entrypoint ?? [])].map(String);
      const named = words.flatMap((word) => [...word.matchAll(/(?<![\w-])([a-z][a-z0-9-]*):(\d{2,5})(?!\d)/g)]);
      for (const [, host = '', port] of named) {
        expect([name, host, port]).toEqual([name, host, listens(host)]);
        const there = networksOf(compose.services[host]!);
        const shared = [...networksOf(service).keys()].filter((network) => there.has(network));
        // One, or the name would have several addresses.
        expect([name, host, shared]).toEqual([name, host, [expect.any(String)]]);
        addresses += 1;
      }
    }
    expect(addresses).toBeGreaterThan(20);
    for (const name of ['pgbouncer', 'pgbouncer-replica'])
      expect(Object.keys(compose.services)).toContain(compose.services[name]!.environment!['SERVER_HOST']);
  });

  it('lets databases and scrapes out of nowhere, and all that a service names exist', () => {
    for (const [, service] of services)
      for (const network of networksOf(service).keys()) expect(compose.networks).toHaveProperty(network);
    expect(compose.networks).toMatchObject({ data: { internal: true }, watch: { internal: true } });
    const used = new Set<string>();
    for (const [name, { volumes = [] }] of services) {
      for (const [source = '', target, mode] of volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('./')) {
          expect([name, source, existsSync(join(ROOT, source)), mode]).toEqual([name, source, true, 'ro']);
        } else {
          used.add(source);
          expect(target).toMatch(/^\//);
        }
      }
    }
    expect([...used].sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it('mounts every file that a command names', () => {
    for (const [name, service] of services) {
      const mounts = (service.volumes ?? [])
        .map((volume) => volume.split(':'))
        .filter(([source]) => source!.startsWith('./'));
      const named = [...(service.entrypoint ?? []), ...(service.command ?? [])].map((word) =>
        word.replace(/^--[\w.-]+=/, ''),
      );
      for (const path of named.filter((word) => word.startsWith('/etc/'))) {
        const [source, target] = mounts.find(([, at]) => path.startsWith(`${at}/`)) ?? [];
        expect([name, path, existsSync(join(ROOT, source ?? '', path.slice(target?.length ?? 0)))]).toEqual([
          name,
          path,
          true,
        ]);
      }
      const files = service.build ? [...(service.entrypoint ?? []), ...(service.command ?? [])] : [];
      for (const file of files.filter((word) => word.startsWith('dist/')))
        expect(existsSync(join(ROOT, file.replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true);
    }
  });

  it('gives the balancer what its configuration asks for, and time to notice that a process leaves', () => {
    const balancer = compose.services['nginx']!;
    const templates = readdirSync(join(ROOT, 'deploy/nginx/templates'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.template'))
      .map((name) => text(join('deploy/nginx/templates', name)));
    const asked = templates.flatMap((template) =>
      [...template.matchAll(/\$\{(BALANCER_\w+)\}/g)].map(([, name]) => name!),
    );
    expect(asked.length).toBeGreaterThan(5);
    expect([...new Set(asked)].filter((name) => !(name in balancer.environment!))).toEqual([]);
    for (const variable of ['BALANCER_LISTEN', 'BALANCER_METRICS_LISTEN'])
      expect(balancer.ports!.map((port) => port.split(':').at(-1))).toContain(balancer.environment![variable]);

    const checks = text('deploy/nginx/ready-checks.sh');
    const fallback = (name: string) => Number(new RegExp(`\\$\\{BALANCER_CHECK_${name}:-(\\d+)\\}`).exec(checks)![1]);
    const noticed = (fallback('MS') + fallback('TIMEOUT_MS')) * fallback('FALL');
    for (const [, service] of serving.filter(([, one]) => networksOf(one).has('edge')))
      expect(loadConfig({ ...service.environment, NODE_ENV: 'test' }).SHUTDOWN_NOTICE_MS).toBeGreaterThan(noticed);
  });

  it('is scraped whole, and each process once', () => {
    const { scrape_configs: jobs, alerting } = parse(text('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
      alerting: { alertmanagers: { dns_sd_configs: { names: string[] }[] }[] };
    };
    const mine = [...networksOf(compose.services['prometheus']!).keys()];
    const named = (name: string) =>
      services.filter(([own, service]) =>
        [...networksOf(service)].some(
          ([network, aliases]) => mine.includes(network) && [own, ...aliases].includes(name),
        ),
      );
    const scraped = jobs.flatMap(({ dns_sd_configs }) => {
      const { names, port } = dns_sd_configs[0]!;
      const found = names.flatMap(named);
      for (const [, { build }] of found) expect(port).toBe(settings[`${build!.target.toUpperCase()}_PORT`]!.default);
      return found;
    });
    expect(scraped.map(([name]) => name).sort()).toEqual(serving.map(([name]) => name).sort());
    for (const [, service] of scraped)
      expect([...networksOf(service).keys()].filter((network) => mine.includes(network))).toHaveLength(1);
    expect(named(alerting.alertmanagers[0]!.dns_sd_configs[0]!.names[0]!)).toHaveLength(1);
  });
});

describe('the servers of docker-compose.yml', () => {
  const setting = (file: string, pattern: RegExp) => pattern.exec(text(file))![1]!;
  const memory = (name: string) => bytes(compose.services[name]!.deploy!.resources!.limits!.memory);

  it('hold less than their limits', () => {
    expect(bytes(setting('deploy/postgres/postgresql.conf', /^shared_buffers = (\S+)$/m))).toBeLessThanOrEqual(
      memory('postgres') / 3,
    );
    expect(bytes(setting('deploy/redis/queue.conf', /^maxmemory (\S+)$/m))).toBeLessThanOrEqual(
      memory('redis-queue') / 2,
    );
    expect(bytes(setting('deploy/redis/cache.conf', /^maxmemory (\S+)$/m))).toBeLessThanOrEqual(
      memory('redis-cache') * 0.7,
    );
  });

  it('evict from the cache and never from the queues', () => {
    expect(text('deploy/redis/queue.conf')).toMatch(/^maxmemory-policy noeviction$/m);
    expect(text('deploy/redis/queue.conf')).toMatch(/^appendonly yes$/m);
    expect(text('deploy/redis/cache.conf')).toMatch(/^maxmemory-policy allkeys-lru$/m);
  });

  it('have connections for every pool', () => {
    const pooler = Number(setting('deploy/pgbouncer/pgbouncer.ini', /^max_db_connections = (\d+)$/m));
    const direct = serving.filter(([, { environment }]) => environment!['DATABASE_URL']!.includes('//postgres:'));
    const pools = Number(settings['DATABASE_POOL_SIZE']!.default) + 4 * 3; // the app's, and those of the other roles
    const most = Number(setting('deploy/postgres/postgresql.conf', /^max_connections = (\d+)$/m));
    expect(direct).toHaveLength(3);
    expect(pooler + direct.length * pools).toBeLessThan(most - 20); // migrate, the replica, somebody who looks
  });
});
