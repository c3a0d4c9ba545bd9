/**
 * The Dockerfile carried out on this machine: each stage a directory that is a root file system, but for /usr, which is lent to it.
 * Not Docker: there are no layers, and the packages of the base image are this machine's. Needs root, as the files have owners.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { contextFiles } from './context';
import { lastOf, readDockerfile, type Stage, type Step, stepsOf } from './dockerfile';
import { BUBBLEWRAP, prepareRoot, rootArguments } from './sandbox';

/** How a RUN is done that others than `root` and its files have a say in. */
export interface Shortcut {
  /** True where it did what the step would do. */
  take(step: Step, stage: string, workdir: string): boolean;
}

export interface TreeOptions {
  /** The repository. */
  readonly root: string;
  /** Empty; holds the stages afterwards, by their names. */
  readonly directory: string;
  readonly targets: readonly string[];
  /** Program that stands for the one of the base image. */
  readonly node: string;
  readonly shortcut?: Shortcut | undefined;
  /** Of RUN, beside PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called for each RUN that was carried out, with its seconds. */
  readonly told?: (stage: string, step: Step, seconds: number) => void;
}

/** By hard links where the places are on one disk: whatever a later step removes here stays where it came from. */
function cp(places: readonly string[], cwd = '/'): void {
  if (spawnSync('cp', ['-a', '-l', ...places], { cwd }).status === 0) return;
  const { status, stderr } = spawnSync('cp', ['-a', ...places], { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`cp: ${stderr}`);
}

/** The file, or what is in the directory. */
function copy(from: string, to: string): void {
  const directory = lstatSync(from).isDirectory();
  mkdirSync(directory ? to : dirname(to), { recursive: true });
  cp(directory ? [`${from}/.`, to] : [from, to]);
}

/** With the directories that they are in. */
function copyPaths(from: string, paths: readonly string[], to: string): void {
  mkdirSync(to, { recursive: true });
  cp(['--parents', '--target-directory', to, ...paths], from);
}

export class ImageTree {
  private readonly stages: readonly Stage[];
  private readonly context: readonly string[];
  private readonly built = new Set<string>();

  constructor(private readonly options: TreeOptions) {
    this.stages = readDockerfile(join(options.root, 'Dockerfile'));
    this.context = contextFiles(options.root);
  }

  /** Throws with the output of the step that failed. */
  build(): void {
    for (const target of this.options.targets) this.stage(target);
  }

  path(stage: string): string {
    return join(this.options.directory, stage);
  }

  private stage(name: string): void {
    if (this.built.has(name)) return;
    this.built.add(name);
    const stage = this.stages.find((one) => one.name === name)!;
    if (this.stages.some((one) => one.name === stage.from)) {
      this.stage(stage.from);
      copy(this.path(stage.from), this.path(name));
    } else {
      this.base(name);
    }
    let workdir = lastOf(stepsOf(this.stages, stage.from), 'WORKDIR')?.text ?? '/';
    for (const step of stage.steps) {
      if (step.keyword === 'WORKDIR') workdir = this.enter(name, step.text);
      if (step.keyword === 'COPY') this.copy(name, step, workdir);
      if (step.keyword === 'RUN') this.run(name, step, workdir);
    }
  }

  /** What the image of Node has beside Debian. */
  private base(name: string): void {
    const local = join(this.path(name), 'usr/local');
    mkdirSync(join(local, 'bin'), { recursive: true });
    copy(realpathSync(this.options.node), join(local, 'bin/node'));
    mkdirSync(join(this.path(name), 'var/lib'), { recursive: true });
    prepareRoot(this.path(name));
  }

  private enter(name: string, directory: string): string {
    mkdirSync(join(this.path(name), directory), { recursive: true });
    return directory;
  }

  private copy(name: string, { flags, words }: Step, workdir: string): void {
    const source = words[0]!;
    const target = words.at(-1)!;
    const to = (path: string) => join(this.path(name), target.startsWith('/') ? '' : workdir, target, path);
    if (flags['from'] !== undefined) {
      this.stage(flags['from']);
      copy(join(this.path(flags['from']), source), to(''));
      return;
    }
    const root = this.options.root;
    const files = words.slice(0, -1).flatMap((word) => (word === '.' ? this.context : [word]));
    for (const file of files) {
      if (!this.context.includes(file)) throw new Error(`COPY ${file}: .dockerignore keeps it out.`);
      const inside = source === '.' ? file : target.endsWith('/') ? file.split('/').at(-1)! : '';
      mkdirSync(dirname(to(inside)), { recursive: true });
      cpSync(join(root, file), to(inside));
    }
  }

  private run(name: string, step: Step, workdir: string): void {
    if (this.options.shortcut?.take(step, this.path(name), workdir)) return;
    const began = performance.now();
    const root = this.path(name);
    const args = [
      ...[
        ...rootArguments(root, '--bind'),
        '--ro-bind',
        '/etc',
        '/etc',
        '--tmpfs',
        '/tmp',
        '--chdir',
        workdir,
        '--clearenv',
        '--setenv',
        'HOME',
        '/root',
      ],
      ...['--setenv', 'PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...Object.entries(this.options.environment ?? {}).flatMap(([variable, value]) => ['--setenv', variable, value]),
      ...['/bin/sh', '-c', step.text],
    ];
    const { status, stdout, stderr } = spawnSync(BUBBLEWRAP, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    if (status !== 0) throw new Error(`${name}: RUN ${step.text}\n${stdout}${stderr}`);
    this.options.told?.(name, step, (performance.now() - began) / 1000);
  }
}

export interface TreeFile {
  readonly path: string;
  readonly bytes: number;
  readonly mode: number;
  readonly uid: number;
}

/** Every regular file below a directory, by its path in there. */
export function filesBelow(root: string, directory = ''): TreeFile[] {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(root, path);
    if (!entry.isFile()) return [];
    const { size, mode, uid } = lstatSync(join(root, path));
    return [{ path, bytes: size, mode, uid }];
  });
}

interface LockEntry {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

/** Paths of the packages that `npm ci --omit=dev --omit=optional` installs. */
export function productionPackages(root: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .map(([path]) => path);
}

/**
 * The steps that take minutes, done with what the checkout has installed and built: its production packages for `npm ci`, and of
 * its dist what the context has the source of.
 */
export function fromCheckout(root: string): Shortcut {
  const context = new Set(contextFiles(root));
  const hasSource = (path: string) =>
    context.has(path) || context.has(path.replace(/\.js$/, '.ts')) || path.startsWith('apps/metrics/page/');
  return {
    take({ text }, stage, workdir) {
      const to = join(stage, workdir);
      if (text.startsWith('npm ci --omit=dev --omit=optional')) {
        const outermost = productionPackages(root).filter((path) => path.lastIndexOf('node_modules/') === 0);
        copyPaths(root, outermost, to); // the others are within them
        return true;
      }
      if (text.startsWith('npm ci')) return true;
      if (!text.startsWith('npm run build')) return false;
      const built = filesBelow(join(root, 'dist')).map(({ path }) => path);
      copyPaths(
        root,
        built.filter((path) => !path.endsWith('.map') && hasSource(path)).map((path) => join('dist', path)),
        to,
      );
      return true;
    },
  };
}
