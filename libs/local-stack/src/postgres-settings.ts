// The settings of a local Postgres, as text of its configuration file.

export interface PostgresSettingsInput {
  readonly port: number;
  /** Trades every protection against a machine crash for speed: for data that a test throws away. */
  readonly throwaway: boolean;
  /** Override and add settings, by Postgres' own names. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Name of the file in the data directory; postgresql.conf includes it, and every start writes it anew. */
export const SETTINGS_FILE = 'stockyard.conf';

const BASE: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '128MB',
  max_wal_size: '512MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
  wal_level: 'logical',
  // Standbys, their base backups (two each for a moment), and one for each tenant that is being moved away.
  max_wal_senders: '32',
  max_replication_slots: '32',
  // A replica that stays away keeps at most this much log on the primary, then it is rebuilt.
  max_slot_wal_keep_size: '1GB',
  hot_standby: 'on',
  hot_standby_feedback: 'on',
  wal_receiver_status_interval: '1s',
  wal_retrieve_retry_interval: '200ms',
};

const THROWAWAY: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum_naptime: '5s',
};

/** The text of {@link SETTINGS_FILE}. */
export function settingsText({ port, throwaway, settings }: PostgresSettingsInput): string {
  const all = { ...BASE, ...(throwaway ? THROWAWAY : {}), ...settings, port: String(port) };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${quoteSetting(value)}`);
  return ['# Written at every start; changes here are lost. Use ALTER SYSTEM.', ...lines, ''].join('\n');
}

/** A value of a configuration file: quotes are doubled, and so are backslashes, which begin an escape there. */
function quoteSetting(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** libpq connection string of keywords and values (PostgreSQL manual, 34.1.1.1). */
export function connectionString(parts: Readonly<Record<string, string>>): string {
  const quote = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return Object.entries(parts)
    .map(([keyword, value]) => `${keyword}=${quote(value)}`)
    .join(' ');
}
