/**
 * Options of a plain client for the master that Sentinels name: ioredis asks them whenever it connects, makes sure that what they
 * name is a master, and connects anew when one of them tells of another ("Guidelines for Redis clients with support for Redis
 * Sentinel", Redis documentation). To everything else it is one server that is away for as long as a failover takes.
 */
import { redisServers } from '#libs/config';
import { type RedisOptions, SentinelConnector } from 'ioredis';
import { addressOf } from './any-server';
import { FailoverNews, type Watched } from './failover-news';

/** For a Sentinel, or a server that it names, which does not answer: there are others to ask. */
const ASK_MS = 1_000;
const DISCONNECT_MS = 100;
/** Of a server that became a replica under a connection; the command has not been executed. */
const DEMOTED = /^(READONLY|MASTERDOWN|UNBLOCKED) /;

/** Adds to `options` what leads to the master of a `redis+sentinel:` URL, whichever server it is. */
export function sentinelOptions(url: string, options: RedisOptions): RedisOptions {
  const { urls, master } = redisServers(url);
  const [sentinel, server] = [new URL(urls[0]!), new URL(master!.url)];
  const tls = server.protocol === 'rediss:';
  const addresses = urls.map(addressOf);
  const { username, password } = loginOf(sentinel);
  const reached = {
    username,
    password,
    connectTimeout: ASK_MS,
    disconnectTimeout: DISCONNECT_MS,
    ...(tls && { tls: {} }),
  };
  // Who waits for the server (maxRetriesPerRequest null) has the command sent again, to the next one; others get the error.
  const again = options.maxRetriesPerRequest === null ? 2 : 1;
  return {
    connectTimeout: ASK_MS,
    ...options,
    sentinels: addresses,
    name: master!.name,
    ...loginOf(server),
    ...(server.pathname !== '' && { db: Number(server.pathname.slice(1)) }),
    ...{ sentinelUsername: username, sentinelPassword: password, sentinelCommandTimeout: ASK_MS },
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
    reconnectOnError: ({ message }) => (DEMOTED.test(message) ? again : false),
    Connector: masterConnector({ name: master!.name, sentinels: addresses.map((each) => ({ ...each, ...reached })) }),
  };
}

/** ioredis' own way of hearing of a failover (`failoverDetector`) leaves its connections open after `quit`. */
function masterConnector(watched: Watched): NonNullable<RedisOptions['Connector']> {
  return class MasterConnector extends SentinelConnector {
    override async connect(
      emit: Parameters<SentinelConnector['connect']>[0],
    ): ReturnType<SentinelConnector['connect']> {
      const stream = await super.connect(emit);
      const deafen = FailoverNews.of(watched).listen(() => stream.destroy());
      return stream.once('close', deafen);
    }
  } as NonNullable<RedisOptions['Connector']>;
}

function loginOf({ username, password }: URL): Pick<RedisOptions, 'username' | 'password'> {
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
}
