import { Progress } from './progress';

const record = (isTTY: boolean) => {
  const written: string[] = [];
  return { output: { isTTY, columns: 60, write: (text: string) => written.push(text) }, text: () => written.join('') };
};

describe('the progress of a start', () => {
  it('is plain lines where there is no terminal', async () => {
    const { output, text } = record(false);
    const progress = new Progress(output);
    await progress.step(
      'Postgres',
      () => Promise.resolve(5432),
      (port) => `Postgres on port ${port}`,
    );
    expect(text()).toBe('  … Postgres\n  ✓ Postgres on port 5432 (0.0 s)\n');
  });

  it('marks what failed and passes the error on', async () => {
    const { output, text } = record(false);
    const failing = new Progress(output).step('Redis', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(text()).toContain('  ✗ Redis: failed (0.0 s)\n');
  });

  it('is one status line, no wider than the terminal, where there is one', async () => {
    const { output, text } = record(true);
    const progress = new Progress(output);
    await Promise.all([
      progress.step('Postgres', () => Promise.resolve()),
      progress.step('x'.repeat(80), () => Promise.resolve()),
    ]);
    for (const line of text().split(/\r\x1b\[2K|\n/)) if (line.startsWith('  …')) expect(line.length).toBeLessThan(60);
    expect(
      text()
        .split('\n')
        .filter((line) => line.includes('✓')),
    ).toHaveLength(2);
  });
});
