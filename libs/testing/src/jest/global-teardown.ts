/** Stops what the global setup started and deletes its data. */
export default async function globalTeardown(): Promise<void> {
  const servers = globalThis.stockyardTestServers;
  if (!servers) return;
  await Promise.all(servers.poolers.map((pooler) => pooler.stop()));
  await Promise.all([servers.replica.remove(), servers.redis.remove()]);
  await servers.postgres.remove();
}
