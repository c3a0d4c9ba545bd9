import { sloObjectives } from './slo-objectives';

describe('service level objectives', () => {
  it('are 99.99 % of requests, and 95 % of answers within half a second, for every tier', () => {
    const objective = { availability: 0.9999, latency: 0.95, latency_ms: 500 };
    expect(sloObjectives('')).toEqual({
      free: objective,
      starter: objective,
      professional: objective,
      enterprise: objective,
    });
  });

  it('are changed one by one', () => {
    const { free, enterprise } = sloObjectives('{"free":{"availability":0.99,"latency_ms":900}}');
    expect(free).toEqual({ availability: 0.99, latency: 0.95, latency_ms: 900 });
    expect(enterprise.availability).toBe(0.9999);
  });

  it.each([
    ['nonsense', /JSON/],
    ['{"gold":{}}', /SLO_OBJECTIVES/],
    ['{"free":{"availability":1}}', /free\.availability/],
    ['{"free":{"latency_ms":0}}', /free\.latency_ms/],
    ['[]', /SLO_OBJECTIVES/],
  ])('are refused as %s', (text, message) => {
    expect(() => sloObjectives(text)).toThrow(message);
  });
});
