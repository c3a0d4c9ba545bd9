/** The subject: TenantDatabase as the processes compose it. */
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AppConfig, ConfigModule } from '#libs/config';
import { CoordinationModule } from '#libs/coordination';
import { DatabaseModule, TenantDatabase } from '#libs/database';
import { RedisModule } from '#libs/redis';
import { TenancyModule } from '#libs/tenancy';
import { asTenant, type TestOrganization } from '#libs/testing';
import type { Contestant } from '../../harness/bench';
import { inFlight } from '../../harness/parallel';
import type { Gateway, Several } from './sides';

@Module({})
class BenchModule {}

export interface GatewayOptions {
  readonly config: AppConfig;
  readonly organization: TestOrganization;
  readonly inFlight: number;
  /** Whether a tenant's connections are limited across processes, as in production. */
  readonly share: boolean;
}

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, organization, share } = options;
  const imports: (DynamicModule | Type)[] = [
    ConfigModule.forRoot(config),
    TenancyModule,
    DatabaseModule.forRoot({ config, applicationName: 'stockyard-bench' }),
    ...(share ? [RedisModule.forRoot(config), CoordinationModule] : []),
  ];
  const app = await NestFactory.createApplicationContext({ module: BenchModule, imports }, { logger: false });
  const database = app.get(TenantDatabase);
  const contestant = (work: () => Promise<unknown>): Contestant => ({
    name: 'gateway',
    run: (operations) => asTenant(app, organization, () => inFlight(options.inFlight, operations, work)),
  });
  const run = (kind: 'read' | 'write', statements: Several) => () =>
    database[kind](async (manager) => {
      for (const { text, values } of statements()) await manager.query(text, [organization.id, ...values]);
    });
  return {
    lanes: {
      statement: (statement) => contestant(() => database.statement(statement())),
      batch: (statements) => contestant(() => database.batch(statements())),
      read: (statements) => contestant(run('read', statements)),
      write: (statements) => contestant(run('write', statements)),
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}
