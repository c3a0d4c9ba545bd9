import { redisFigures } from './redis-info';

describe('the figures of a Redis', () => {
  it('are read from INFO; what is not there or no count is not known', () => {
    const info = '# Memory\r\nused_memory:1024\r\nused_memory_human:1.00K\r\nmaxmemory:0\r\nevicted_keys:many\r\n';
    expect(redisFigures(info)).toMatchObject({ memory: 1_024, memory_max: 0, evicted: null, hits: null });
  });
});
