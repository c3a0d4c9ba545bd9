// `npm run links`: every relative link of a Markdown file leads to a file of the checkout, and its #anchor to a heading there.
// `node tools/links.mjs ROOT FILE…` looks at some files below another directory.
// Plain JavaScript without dependencies.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { ROOT } from './build.mjs';

const FENCE = /^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1[^\n]*$/gms;
const CODE = /(`+)(?!`).+?(?<!`)\1(?!`)/g;
const LINK = /\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+"[^"]*")?\s*\)/g;
const DEFINITION = /^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm;
const OUTSIDE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

// As long as what it takes the place of, so that line numbers stay.
const blank = (text) => text.replace(/[^\n]/g, ' ');

/** What GitHub makes of a heading; the second of a name gets -1. */
function anchorsOf(text) {
  const anchors = new Set();
  const seen = new Map();
  for (const [, heading] of text.replace(FENCE, blank).matchAll(/^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/gm)) {
    const shown = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/<[^>]*>/g, '');
    const slug = shown
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\s-]/gu, '')
      .replace(/\s/g, '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  for (const [, name] of text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name);
  return anchors;
}

/** Links with the number of their line; those in code are none. */
function linksOf(text) {
  const prose = text.replace(FENCE, blank).replace(CODE, blank);
  return [...prose.matchAll(LINK), ...prose.matchAll(DEFINITION)]
    .map(({ 1: target, index }) => ({ target, line: prose.slice(0, index).split('\n').length }))
    .filter(({ target }) => target !== '' && !OUTSIDE.test(target));
}

/** What is wrong with the links of `files`, which are paths below `root`; a line each. */
function brokenLinks(files, root) {
  return files.flatMap((file) =>
    linksOf(readFileSync(join(root, file), 'utf8')).flatMap(({ target, line }) => {
      const why = fault(root, file, target);
      return why === undefined ? [] : [`${file}:${line}: ${target}: ${why}`];
    }),
  );
}

function fault(root, file, target) {
  const [path, anchor] = target.split('#', 2).map(decodeURIComponent);
  const place = path === '' ? join(root, file) : resolve(root, dirname(file), path);
  if (normalize(relative(root, place)).startsWith('..')) return 'leads out of the checkout';
  if (!existsSync(place)) return 'there is no such file';
  if (!anchor || statSync(place).isDirectory() || !place.endsWith('.md')) return undefined;
  return anchorsOf(readFileSync(place, 'utf8')).has(anchor) ? undefined : 'there is no such heading';
}

/** Tracked, or new and not ignored. */
function markdownFiles() {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', '*.md'];
  const names = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  return names.filter((name) => existsSync(join(ROOT, name)));
}

const [root = ROOT, ...files] = process.argv.slice(2);
const broken = brokenLinks(files.length > 0 ? files : markdownFiles(), root);
for (const line of broken) process.stdout.write(`${line}\n`);
process.exitCode = broken.length === 0 ? 0 : 1;
