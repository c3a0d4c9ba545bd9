import { defineNamespace } from './cache-namespace';

describe('a cache namespace', () => {
  it('has short lives for memory and for absence, never above its own', () => {
    expect(defineNamespace({ name: 'a', ttlMs: 60_000 })).toMatchObject({ nearTtlMs: 1_000, negativeTtlMs: 5_000 });
    expect(defineNamespace({ name: 'a', ttlMs: 500 })).toMatchObject({ nearTtlMs: 500, negativeTtlMs: 500 });
  });

  it.each(['', 'A', 'a:b', 'a b', '1a'])('refuses the name "%s"', (name) => {
    expect(() => defineNamespace({ name, ttlMs: 1_000 })).toThrow('is no name');
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses the life %p', (ttlMs) => {
    expect(() => defineNamespace({ name: 'a', ttlMs })).toThrow('ttlMs');
  });

  it('refuses to keep values for more than a day, stale ones included', () => {
    expect(() => defineNamespace({ name: 'a', ttlMs: 86_400_001 })).toThrow('more than a day');
    expect(() => defineNamespace({ name: 'a', ttlMs: 86_400_000, staleMs: 1 })).toThrow('more than a day');
    expect(defineNamespace({ name: 'a', ttlMs: 80_000_000, staleMs: 6_400_000 })).toMatchObject({ staleMs: 6_400_000 });
  });
});
