/** A row of `api_keys`. The secret itself is nowhere: only its SHA-256. */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Permission, Role } from '../access/permissions';

@Entity('api_keys')
export class ApiKey {
  @PrimaryColumn('uuid', { name: 'organization_id' })
  organizationId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('bytea', { name: 'secret_hash', select: false })
  secretHash!: Buffer;

  /** The last four characters of the key, to tell keys apart by eye. */
  @Column('text')
  hint!: string;

  @Column('text')
  role!: Role;

  /** Permissions the key is narrowed to; null holds all of the role's. */
  @Column('text', { array: true, nullable: true })
  scopes!: Permission[] | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** To the minute: it is written at most once in one. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  /** The user or key that made it; null for an operator. */
  @Column('uuid', { name: 'created_by', nullable: true })
  createdBy!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
