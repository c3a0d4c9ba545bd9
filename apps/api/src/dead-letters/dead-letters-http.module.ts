/** Serves `/v1/dead_letters`. */
import { Module } from '@nestjs/common';
import { AuditedLettersModule } from './audited-letters.module';
import { DeadLettersController } from './dead-letters.controller';

@Module({ imports: [AuditedLettersModule], controllers: [DeadLettersController] })
export class DeadLettersHttpModule {}
