import { MetricsRegistry } from './metrics-registry';

describe('the metrics registry', () => {
  it('reads gauges and counters at each scrape', async () => {
    const registry = new MetricsRegistry();
    let value = 1;
    registry.gauge({ name: 'a_gauge', help: 'h', labels: ['kind'], read: () => [{ labels: { kind: 'x' }, value }] });
    registry.counter({ name: 'a_total', help: 'h', read: () => Promise.resolve([{ value }]) });
    await expect(registry.text()).resolves.toMatch(/^a_gauge\{kind="x"\} 1$/m);
    value = 5;
    const text = await registry.text();
    expect(text).toMatch(/^a_gauge\{kind="x"\} 5$/m);
    expect(text).toMatch(/^a_total 5$/m);
  });

  it('leaves out what cannot be read and shows the rest', async () => {
    const registry = new MetricsRegistry();
    registry.gauge({ name: 'broken', help: 'h', read: () => Promise.reject(new Error('away')) });
    registry.gauge({ name: 'empty', help: 'h', labels: ['kind'], read: () => [] });
    registry.counter({
      name: 'broken_total',
      help: 'h',
      labels: ['kind'],
      read: () => Promise.reject(new Error('away')),
    });
    registry.gauge({ name: 'fine', help: 'h', read: () => [{ value: 2 }] });
    const text = await registry.text();
    expect(text).toMatch(/^fine 2$/m);
    expect(text).not.toMatch(/^(broken|empty|broken_total)[ {]/m);
  });

  it('is one per process object, so that two applications do not share it', async () => {
    const [one, other] = [new MetricsRegistry(), new MetricsRegistry()];
    one.gauge({ name: 'only_here', help: 'h', read: () => [{ value: 1 }] });
    await expect(other.text()).resolves.not.toContain('only_here');
  });
});
