/** Wires shards, the tenant gateway, the directory and the guards that refuse to start on the wrong schema or without the wall. */
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { type AppConfig, HOME_SHARD } from '#libs/config';
import { Directory } from '#libs/tenancy';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CONTROL_POOL, RELEASE_MIGRATIONS } from './database.constants';
import { DatabaseDirectory } from './directory/database-directory';
import { LaneWatch } from './gateway/lane-watch';
import { NodeFlights } from './gateway/node-flights';
import { ReadRoutes } from './gateway/read-routes';
import { ReadStatistics } from './gateway/read-statistics';
import { TenantEntrance } from './gateway/tenant-entrance';
import { TenantFlights } from './gateway/tenant-flights';
import { TenantTransactions } from './gateway/tenant-transactions';
import { metadataSource } from './lanes/metadata-source';
import type { MigrationClass } from './migrate/migration';
import { SchemaGuard } from './migrate/schema-guard.service';
import { ShardFanOut } from './shards/shard-fan-out';
import { APPLICATION_NAME, Shards } from './shards/shards.service';
import { TenantDatabase } from './tenant-database';
import { WallGuard } from './wall/wall-guard.service';

export interface DatabaseModuleOptions {
  readonly config: AppConfig;
  /** TypeORM entities of the libraries the app is composed of. */
  readonly entities?: DataSourceOptions['entities'];
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** The release's migrations: a shard whose schema does not go with them is not served. Default: not checked. */
  readonly migrations?: readonly MigrationClass[];
}

@Global()
@Module({})
export class DatabaseModule {
  static forRoot({ entities = [], applicationName, migrations }: DatabaseModuleOptions): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: APPLICATION_NAME, useValue: applicationName },
        Shards,
        ShardFanOut,
        { provide: CONTROL_POOL, useFactory: (shards: Shards) => shards.pool(HOME_SHARD, 'control'), inject: [Shards] },
        { provide: DataSource, useFactory: () => metadataSource(entities) },
        { provide: Directory, useClass: DatabaseDirectory },
        LaneWatch,
        ...[TenantEntrance, NodeFlights, ReadStatistics, ReadRoutes, TenantFlights, TenantTransactions],
        { provide: RELEASE_MIGRATIONS, useValue: migrations ?? null },
        TenantDatabase,
        SchemaGuard,
        WallGuard,
      ],
      exports: [Shards, ShardFanOut, CONTROL_POOL, Directory, TenantDatabase, ReadStatistics, LaneWatch],
    };
  }
}
