import { redisOptions } from './redis-options';
import { sentinelOptions } from './sentinel-options';

describe('sentinelOptions', () => {
  it('keep the credentials of servers and Sentinels apart', () => {
    const url = 'redis+sentinel://app:p%40w@a:1,b/queue/3?sentinel_username=watch&sentinel_password=s%2Fw';
    expect(sentinelOptions(url, redisOptions('fast'))).toMatchObject({
      sentinels: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
      ],
      ...{ name: 'queue', db: 3, username: 'app', password: 'p@w' },
      ...{ sentinelUsername: 'watch', sentinelPassword: 's/w', commandTimeout: 50 },
    });
  });

  it('speak TLS to both or to neither', () => {
    const plain = sentinelOptions('redis+sentinel://a/queue', {});
    expect([plain.tls, plain.sentinelTLS, plain.enableTLSForSentinelMode]).toEqual([undefined, undefined, undefined]);
    const tls = sentinelOptions('rediss+sentinel://a/queue', {});
    expect([tls.tls, tls.sentinelTLS, tls.enableTLSForSentinelMode]).toEqual([{}, {}, true]);
  });

  it('have a command that a demoted server refused sent again by who waits, and told to who does not', () => {
    const demoted = new Error("READONLY You can't write against a read only replica.");
    const after = (error: Error, purpose: 'queue' | 'fast') =>
      sentinelOptions('redis+sentinel://a/queue', redisOptions(purpose)).reconnectOnError!(error);
    expect([after(demoted, 'queue'), after(demoted, 'fast')]).toEqual([2, 1]);
    expect(after(new Error('WRONGTYPE'), 'queue')).toBe(false);
  });
});
