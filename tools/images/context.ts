/**
 * Which files `.dockerignore` lets into a build. Docker's documentation, "Build context": patterns are matched against a path and
 * the directories above it, `!` takes an exception back, and the last line that matches decides.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

interface Rule {
  readonly pattern: RegExp;
  readonly excludes: boolean;
}

/** Go's filepath.Match, with `**` for any number of directories. A `*` matches a leading dot too. */
function expression(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

function readRules(file: string): Rule[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const path = posix.normalize(line.replace(/^!/, '')).replace(/^\/|\/$/g, '');
      return { pattern: expression(path), excludes: !line.startsWith('!') };
    });
}

function matches({ pattern }: Rule, path: string): boolean {
  const parts = path.split('/');
  return parts.some((_, index) => pattern.test(parts.slice(0, index + 1).join('/')));
}

/** Names that are large, never wanted, and so not even looked into. */
const NEVER = new Set(['node_modules', '.git', 'dist']);

/** The paths, relative to `root`, with `/` between their parts. */
export function contextFiles(root: string): string[] {
  const rules = readRules(join(root, '.dockerignore'));
  const included = (path: string) => !(rules.findLast((rule) => matches(rule, path))?.excludes ?? false);
  const walk = (directory: string): string[] =>
    readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
      const path = posix.join(directory, entry.name);
      if (entry.isDirectory()) return NEVER.has(entry.name) ? [] : walk(path);
      return included(path) ? [path] : [];
    });
  return walk('').sort();
}
