/** Column helpers of TypeORM entities. */
import type { ValueTransformer } from 'typeorm';

/** bigint columns as numbers; the pool's type parser has already refused what is not a safe integer. */
export const bigintNumber: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: unknown) => (value === null ? null : Number(value)),
};
