/** Wires pools, the tenant gateway, the directory and the guard that refuses to start without the wall. */
import { type DynamicModule, Global, Inject, Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type AppConfig, roleUrl } from '#libs/config';
import { Directory } from '#libs/tenancy';
import { Pool } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CONTROL_POOL, RELAY_POOL } from './database.constants';
import { DatabaseDirectory } from './directory/database-directory';
import { DATABASE_TYPES } from './lanes/types';
import { TenantDatabase } from './tenant-database';
import { WallGuard } from './wall/wall-guard.service';

export interface DatabaseModuleOptions {
  readonly config: AppConfig;
  /** TypeORM entities of the libraries the app is composed of. */
  readonly entities?: DataSourceOptions['entities'];
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Whether this process relays the outbox and needs the pool for it. */
  readonly relay?: boolean;
}

const SMALL_POOL = 3;

function rolePool(options: DatabaseModuleOptions, role: 'relay' | 'control'): Pool {
  const pool = new Pool({
    connectionString: roleUrl(options.config, role),
    max: SMALL_POOL,
    connectionTimeoutMillis: options.config.DATABASE_POOL_WAIT_MS,
    application_name: `${options.applicationName}-${role}`,
    query_timeout: options.config.DATABASE_ANSWER_TIMEOUT_MS,
    types: DATABASE_TYPES,
  });
  pool.on('error', () => undefined); // an idle connection that broke is replaced at the next use
  pool.on('connect', (client) => client.on('error', () => undefined)); // in use: its query tells, no event ends the process
  return pool;
}

async function appDataSource(options: DatabaseModuleOptions): Promise<DataSource> {
  const { config } = options;
  return new DataSource({
    type: 'postgres',
    url: roleUrl(config, 'app'),
    applicationName: options.applicationName,
    poolSize: config.DATABASE_POOL_SIZE,
    connectTimeoutMS: config.DATABASE_POOL_WAIT_MS,
    entities: options.entities ?? [],
    synchronize: false,
    logging: false,
    installExtensions: false,
    poolErrorHandler: () => undefined,
    extra: { types: DATABASE_TYPES, keepAlive: true },
  }).initialize();
}

@Injectable()
class PoolCloser implements OnApplicationShutdown {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(CONTROL_POOL) private readonly control: Pool,
    @Inject(RELAY_POOL) private readonly relay: Pool | null,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.dataSource.destroy(), this.control.end(), this.relay?.end()]);
  }
}

@Global()
@Module({})
export class DatabaseModule {
  static forRoot(options: DatabaseModuleOptions): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: DataSource, useFactory: () => appDataSource(options) },
        { provide: CONTROL_POOL, useFactory: () => rolePool(options, 'control') },
        { provide: RELAY_POOL, useFactory: () => (options.relay ? rolePool(options, 'relay') : null) },
        { provide: Directory, useClass: DatabaseDirectory },
        TenantDatabase,
        WallGuard,
        PoolCloser,
      ],
      exports: [DataSource, CONTROL_POOL, RELAY_POOL, Directory, TenantDatabase],
    };
  }
}
