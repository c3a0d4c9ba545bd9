/** What Prometheus and Alertmanager make of deploy/: the rules are unit-tested by promtool, and each alert has its page. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROMETHEUS = join(process.cwd(), 'deploy/prometheus');
const ALERTMANAGER = join(process.cwd(), 'deploy/alertmanager/alertmanager.yml');

const files = (directory: string): string[] =>
  readdirSync(join(PROMETHEUS, directory))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(PROMETHEUS, directory, name));
const text = (paths: readonly string[]): string => paths.map((path) => readFileSync(path, 'utf8')).join('\n');
const run = (program: string, ...options: string[]): string =>
  execFileSync(program, options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const all = (pattern: RegExp, of: string): string[] => [...of.matchAll(pattern)].map((match) => match[1]!);

describe('alerts', () => {
  const rules = text(files('rules'));
  const names = all(/^ +- alert: (\w+)$/gm, rules);

  it('are rules that Prometheus understands, and its configuration finds them', () => {
    expect(run('promtool', 'check', 'rules', ...files('rules'))).not.toContain('FAILED');
    expect(run('promtool', 'check', 'config', '--syntax-only', join(PROMETHEUS, 'prometheus.yml'))).toContain(
      'SUCCESS',
    );
  });

  it('fire on the series of their tests and stay quiet on the others', () => {
    expect(run('promtool', 'test', 'rules', ...files('tests'))).not.toContain('FAILED');
  });

  it('each have a test in which they fire and one in which they do not', () => {
    const tests = text(files('tests'));
    expect(names.length).toBeGreaterThan(20);
    expect(new Set(names).size).toBe(names.length);
    expect(all(/^ +- name: (\w+) fires$/gm, tests).sort()).toEqual([...names].sort());
    expect(all(/^ +- name: (\w+) stays quiet$/gm, tests).sort()).toEqual([...names].sort());
  });

  it('each name a runbook that tells of them, and no runbook is left over', () => {
    const pages = new Map<string, string>();
    for (const [, name, rest] of rules.matchAll(/^ +- alert: (\w+)\n((?:(?! +- alert:).*\n)*)/gm))
      pages.set(name!, /runbook: (\S+)/.exec(rest!)?.[1] ?? '');
    for (const [name, page] of pages) {
      expect(existsSync(page)).toBe(true);
      expect(readFileSync(page, 'utf8')).toContain(`\`${name}\``);
    }
    const known = readdirSync('docs/runbooks').map((name) => `docs/runbooks/${name}`);
    expect([...new Set(pages.values())].sort()).toEqual(known.sort());
  });

  it.each([
    ['page', 'page'],
    ['ticket', 'ticket'],
    ['', 'ticket'],
  ])('of severity "%s" go to %s', (severity, receiver) => {
    expect(run('amtool', 'check-config', ALERTMANAGER)).toContain('SUCCESS');
    const labels = severity === '' ? ['alertname=Any'] : [`severity=${severity}`];
    expect(run('amtool', 'config', 'routes', 'test', `--config.file=${ALERTMANAGER}`, ...labels).trim()).toBe(receiver);
  });

  it('that silence others exist', () => {
    const named = all(/alertname =~? "([^"]+)"/g, readFileSync(ALERTMANAGER, 'utf8')).flatMap((one) => one.split('|'));
    expect(named.length).toBeGreaterThan(5);
    for (const pattern of named) expect(names.some((name) => new RegExp(`^${pattern}$`).test(name))).toBe(true);
  });
});
