import { exposition, formatFor } from './exposition';
import { MetricsRegistry } from './metrics-registry';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

function registry(): MetricsRegistry {
  const metrics = new MetricsRegistry();
  metrics.counter({ name: 'things_total', help: 'a "thing"', read: () => [{ value: 3 }] });
  const observe = metrics.histogram({ name: 'took_seconds', help: 'h', labels: ['kind'], buckets: [0.1, 1] });
  observe({ kind: 'a' }, 0.5, TRACE);
  observe({ kind: 'a' }, 7, TRACE);
  observe({ kind: 'a' }, 0.05);
  return metrics;
}

describe('the text of metrics', () => {
  it.each([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain;version=0.0.4', 'prometheus'],
    ['application/openmetrics-text-2', 'prometheus'],
    ['application/openmetrics-text;version=1.0.0,text/plain;q=0.5', 'openmetrics'],
    ['text/plain;q=0.5, application/openmetrics-text', 'openmetrics'],
  ])('is for %s in the format %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format);
  });

  it('has exemplars in OpenMetrics, in the bucket that the value fell into, and an end', async () => {
    const text = await registry().text('openmetrics');
    expect(text).toMatch(/^took_seconds_bucket\{le="0.1",kind="a"\} 1$/m);
    expect(text).toMatch(
      new RegExp(`^took_seconds_bucket\\{le="1",kind="a"\\} 2 # \\{trace_id="${TRACE}"\\} 0.5 [0-9.]+$`, 'm'),
    );
    expect(text).toMatch(
      new RegExp(`^took_seconds_bucket\\{le="\\+Inf",kind="a"\\} 3 # \\{trace_id="${TRACE}"\\} 7 [0-9.]+$`, 'm'),
    );
    expect(text).toMatch(/^took_seconds_count\{kind="a"\} 3$/m);
    expect(text).toMatch(/^# TYPE things counter\nthings_total 3$/m);
    expect(text).toContain('# HELP things a \\"thing\\"');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  it('has none in the Prometheus format, whatever the scrape before asked for', async () => {
    const metrics = registry();
    await metrics.text('openmetrics');
    const text = await metrics.text();
    expect(text).toMatch(/^# TYPE things_total counter\nthings_total 3$/m);
    expect(text).not.toContain(TRACE);
    expect(text).not.toContain('# EOF');
  });

  it('escapes what labels hold, and writes numbers that are none', () => {
    const values = [
      { labels: { name: 'a"b\\c\nd' }, value: Number.POSITIVE_INFINITY },
      { labels: {}, value: Number.NaN },
    ];
    const text = exposition([{ name: 'g', help: 'one\ntwo', type: 'gauge', values }], 'prometheus');
    expect(text).toBe('# HELP g one\\ntwo\n# TYPE g gauge\ng{name="a\\"b\\\\c\\nd"} +Inf\ng NaN\n');
  });
});
