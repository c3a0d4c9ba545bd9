/** A process of its own that writes a report and says how much memory it took. argv: organization. Needs dist. */
import { ConfigModule, loadConfig } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { newId } from '#libs/kernel';
import type { JobContext } from '#libs/queues';
import { StorageModule } from '#libs/storage';
import { TenancyModule, TenantContextHolder } from '#libs/tenancy';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ReportWriter } from '../src/report.writer';
import { stockMovements } from '../src/sources/stock-movements.source';

async function main(organizationId: string): Promise<void> {
  const config = loadConfig(process.env);

  @Module({
    imports: [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'report-process' }),
      StorageModule,
    ],
    providers: [ReportWriter],
  })
  class ReportProcess {}

  const app = await NestFactory.createApplicationContext(ReportProcess, { logger: false });
  let mostBytes = 0;
  const payload = { format: 'ndjson', from: '2000-01-01', to: '2999-12-31' } as const;
  const context = {
    ...{ jobId: newId(), payload },
    report: async () => void (mostBytes = Math.max(mostBytes, process.memoryUsage().heapUsed)),
  } as unknown as JobContext<typeof payload>;
  const beganMs = performance.now();
  const result = await app
    .get(TenantContextHolder)
    .run({ organizationId, actor: { type: 'system', id: null }, permissions: new Set(), requestId: newId() }, () =>
      app.get(ReportWriter).write(context, stockMovements(payload)),
    );
  const tookMs = Math.round(performance.now() - beganMs);
  process.stdout.write(`${JSON.stringify({ ...result, mostBytes, tookMs })}\n`);
  await app.close();
}

void main(process.argv[2]!);
