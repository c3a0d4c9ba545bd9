// `npm run check`: format, lint, types, import rules and links of documents side by side, as each has one processor. What one says is printed
// when it ends; the status is 1 when any of them finds something. Plain JavaScript without dependencies.
import { spawn } from 'node:child_process';
import { ROOT } from './build.mjs';

const CHECKS = ['lint', 'types', 'format:check', 'imports', 'links']; // the longest first

/** Resolves with whether it found nothing, once all it said is printed. */
function run(script) {
  const began = performance.now();
  const check = spawn('npm', ['run', '--silent', script], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [check.stdout, check.stderr]) stream.on('data', (bytes) => said.push(bytes));
  return new Promise((resolve, reject) => {
    check.once('error', reject);
    check.once('close', (status) => {
      const seconds = Math.round((performance.now() - began) / 1000);
      process.stdout.write(`${script}: ${status === 0 ? 'passed' : 'FAILED'} after ${seconds} s\n`);
      process.stdout.write(Buffer.concat(said));
      resolve(status === 0);
    });
  });
}

const passed = await Promise.all(CHECKS.map(run));
process.exitCode = passed.every(Boolean) ? 0 : 1;
