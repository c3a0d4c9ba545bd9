/** What tenants and operators do to dead letters. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { AuditedLetters } from './audited-letters.service';

@Module({ imports: [AuditModule], providers: [AuditedLetters], exports: [AuditedLetters] })
export class AuditedLettersModule {}
