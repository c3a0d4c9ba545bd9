/** Probes and drain of one process. */
import { Global, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CONTROL_POOL, type PrimaryPool } from '#libs/database';
import { CACHE_REDIS, QUEUE_REDIS, type RedisClient } from '#libs/redis';
import { FileStore } from '#libs/storage';
import { database, type Dependency, redis, storage } from './dependency';
import { DrainService } from './drain.service';
import { HealthController } from './health.controller';
import { HealthService, PROCESS_DEPENDENCIES } from './health.service';

function dependencies(pool: PrimaryPool, cache: RedisClient, queue: RedisClient, files: FileStore): Dependency[] {
  return [database(pool), redis('cache', cache), redis('queue', queue), storage(files)];
}

/** Needs DatabaseModule, RedisModule and StorageModule beside it. */
@Global()
@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [
    DrainService,
    HealthService,
    {
      provide: PROCESS_DEPENDENCIES,
      useFactory: dependencies,
      inject: [CONTROL_POOL, CACHE_REDIS, QUEUE_REDIS, FileStore],
    },
  ],
  exports: [HealthService, DrainService],
})
export class HealthModule {}
