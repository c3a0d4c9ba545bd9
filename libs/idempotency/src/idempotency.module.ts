/** Provides IdempotentFlight to the domain. */
import { Global, Module } from '@nestjs/common';
import { IdempotentFlight } from './idempotent-flight';

@Global()
@Module({ providers: [IdempotentFlight], exports: [IdempotentFlight] })
export class IdempotencyModule {}
