/** A row of `users`: a person's account inside one organization. */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../access/permissions';

export const USER_STATES = ['active', 'disabled'] as const;
export type UserState = (typeof USER_STATES)[number];

@Entity('users')
export class User {
  @PrimaryColumn('uuid', { name: 'organization_id' })
  organizationId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  /** Lower case; unique within the organization. */
  @Column('text')
  email!: string;

  @Column('text')
  name!: string;

  @Column('text')
  role!: Role;

  /** PHC string. */
  @Column('text', { name: 'password_hash', select: false })
  passwordHash!: string;

  @Column('text', { default: 'active' })
  state!: UserState;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
