/** The modules that meter usage, for specs: inside the spec, and as a process of its own that counts until it is killed. */
import { writeSync } from 'node:fs';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AppConfig, ConfigModule, loadConfig } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { TenancyModule } from '#libs/tenancy';
import { UsageMeter, UsageModule } from '../src';

export function meteringProcess(config: AppConfig): Promise<INestApplicationContext> {
  @Module({
    imports: [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'test-usage' }),
      UsageModule.forRoot(),
    ],
  })
  class MeteringModule {}
  return NestFactory.createApplicationContext(MeteringModule, { logger: false, abortOnError: false });
}

/**
 * Counts calls of the organizations in the arguments, and flushes again and again. Says what it does before it does
 * it and after it has done it, one letter and a number a line: `c` what will have been counted for each organization, `f`
 * what had been when the last finished flush began. Written at once and, into a file, in no buffer of
 * this process, so that a kill loses none of it.
 */
async function main(organizations: readonly string[]): Promise<void> {
  const app = await meteringProcess({ ...loadConfig(), USAGE_FLUSH_MS: 60_000 });
  const meter = app.get(UsageMeter);
  let counted = 0;
  const count = () => {
    writeSync(1, `c ${counted + 1}\n`);
    for (const id of organizations) {
      meter.called(id, `GET /v1/${counted % 3}`);
      meter.answered(id, `GET /v1/${counted % 3}`, { bytesIn: 1, durationUs: 1_000, failed: false });
    }
    counted += 1;
    setTimeout(count, 1);
  };
  count();
  for (;;) {
    const before = counted;
    await meter.flush();
    writeSync(1, `f ${before}\n`);
  }
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
}
