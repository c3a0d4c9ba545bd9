/** The Dockerfile against the repository: what it copies is there, what it starts exists, and nothing else gets in. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessName, ENVIRONMENT_SCHEMA, loadConfig } from '#libs/config';
import { contextFiles } from './context';
import { environmentOf, lastOf, readDockerfile, stepsOf } from './dockerfile';

const ROOT = join(__dirname, '../..');
const TARGETS = ['api', 'worker', 'metrics'] as const;
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
  devDependencies: Record<string, string>;
};
const stages = readDockerfile(join(ROOT, 'Dockerfile'));
const settings = ENVIRONMENT_SCHEMA.properties as Record<string, { default?: unknown }>;
const context = contextFiles(ROOT);

describe('the build context', () => {
  it('has every source of what is built, and neither tests nor what only they need', () => {
    expect(context).toEqual(
      expect.arrayContaining([
        ...['package.json', 'package-lock.json', '.swcrc', 'tsconfig.json', 'migrations/index.ts'],
        ...['apps/api/src/main.ts', 'apps/metrics/page/index.html', 'libs/kernel/src/index.ts'],
        ...['tools/migrate/main.ts', 'tools/cli/main.ts', 'deploy/image/ready.sh'],
      ]),
    );
    const unwanted = /spec\.ts$|\/test\/|^libs\/(testing|local-stack)\/|(^|\/)\.env|^(bench|docs|\.ci|\.git)\/|\.md$/;
    expect(context.filter((path) => unwanted.test(path))).toEqual([]);
    const tools = new Set(context.filter((path) => path.startsWith('tools/')).map((path) => path.split('/')[1]));
    expect([...tools].sort()).toEqual(['cli', 'migrate']);
  });

  it('lacks no file that a file in it imports', () => {
    const there = new Set(context);
    const missing: string[] = [];
    for (const path of context.filter((name) => name.endsWith('.ts'))) {
      for (const [, library] of readFileSync(join(ROOT, path), 'utf8').matchAll(/from '#libs\/([\w-]+)'/g))
        if (!there.has(`libs/${library}/src/index.ts`)) missing.push(`${path}: #libs/${library}`);
    }
    expect(missing).toEqual([]);
  });
});

describe('the Dockerfile', () => {
  it('takes the Node that everything is tested on, of the slim image', () => {
    const images = stages.map(({ from }) => from).filter((from) => !stages.some(({ name }) => name === from));
    expect(new Set(images)).toEqual(new Set([`node:${manifest.devDependencies['node']}-slim`]));
    expect(manifest.devDependencies['node']).toMatch(/^24\./);
  });

  it('installs from the lock file alone, for the images without what is for development', () => {
    const installs = stages.flatMap(({ name, steps }) =>
      steps.filter(({ text }) => /\bnpm (ci|i|install)\b/.test(text)).map(({ text }) => [name, text] as const),
    );
    expect(installs.map(([name]) => name)).toEqual(['build', 'dependencies']);
    for (const [, text] of installs) expect(text).toMatch(/^npm ci .*--ignore-scripts/);
    expect(installs[1]![1]).toMatch(/--omit=dev --omit=optional/);
  });

  it('copies what the context or a stage before it has', () => {
    for (const { name, steps } of stages) {
      for (const { keyword, flags, words } of steps) {
        if (keyword === 'ADD') throw new Error(`${name}: ADD takes files from elsewhere`);
        if (keyword !== 'COPY') continue;
        const sources = words.slice(0, -1);
        if (flags['from'] !== undefined) {
          expect(stages.map((stage) => stage.name)).toContain(flags['from']);
          const source = /^\/build\/dist\/(.+)$/.exec(sources[0]!)?.[1];
          if (source !== undefined) expect(context.some((path) => path.startsWith(`${source}/`))).toBe(true);
        } else {
          expect(sources.filter((source) => source !== '.' && !context.includes(source))).toEqual([]);
        }
      }
    }
  });

  it('hands no secret to the build', () => {
    expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).not.toMatch(
      /^\s*(ARG|ENV)\s.*(PASSWORD|SECRET|TOKEN|KEY)/im,
    );
  });

  it.each(TARGETS)(
    'starts %s as an unprivileged user, by SIGTERM stopped, looked after at the port of its setting',
    (target) => {
      const steps = stepsOf(stages, target);
      expect(lastOf(steps, 'USER')!.text).toBe('1000:1000');
      expect(lastOf(steps, 'STOPSIGNAL')!.text).toBe('SIGTERM');
      expect(lastOf(steps, 'ENTRYPOINT')).toBeUndefined();
      const command = lastOf(steps, 'CMD')!.words; // words of the exec form: no shell between Docker and Node
      expect(command).toEqual(['node', `dist/apps/${target}/src/main.js`]);
      expect(existsSync(join(ROOT, `apps/${target}/src/main.ts`))).toBe(true);

      const variable = `${target.toUpperCase()}_PORT`;
      const port = String(settings[variable]!.default);
      expect(lastOf(steps, 'EXPOSE')!.text).toBe(port);
      expect(lastOf(steps, 'HEALTHCHECK')!.text).toContain(`CMD stockyard-ready "\${${variable}:-${port}}"`);
      const check = steps.find(({ words }) => words.at(-1) === '/usr/local/bin/stockyard-ready')!.words[0]!;
      expect(statSync(join(ROOT, check)).mode & 0o111).toBe(0o111);
    },
  );

  it.each(TARGETS)(
    'sets for %s only what it knows, and no secret: production refuses to start with that alone',
    (target) => {
      const environment = environmentOf(stepsOf(stages, target));
      expect(Object.keys(environment).filter((name) => settings[name] === undefined)).toEqual(['NODE_OPTIONS']);
      expect(environment).toMatchObject({ NODE_ENV: 'production', NODE_OPTIONS: '--v8-pool-size=0', HOST: '0.0.0.0' });
      expect(() => loadConfig(environment, {}, target as ProcessName)).toThrow(/development default/);
    },
  );

  it('makes the directory of files for the user who writes into it', () => {
    const steps = stepsOf(stages, 'base');
    const made = steps.find(({ keyword, text }) => keyword === 'RUN' && text.startsWith('install -d -o 1000 -g 1000'));
    expect(made!.words).toContain(environmentOf(steps)['STORAGE_DIR']);
  });
});
