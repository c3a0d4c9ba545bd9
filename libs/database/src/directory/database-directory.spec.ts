import { newId } from '#libs/kernel';
import { shardKeyOf } from '#libs/tenancy';
import type { Shards } from '../shards/shards.service';
import { DatabaseDirectory } from './database-directory';
import { LIMIT_COLUMNS } from './organization-row';

describe('The directory, while a replica answers in place of its primary', () => {
  const id = newId();
  let directory: DatabaseDirectory;
  let answers: { is_replica: boolean; epoch: number | null };

  const row = (epoch: number) => ({
    ...{ id, slug: 'acme', name: 'Acme', tier: 'free', region: 'default', state: 'active', epoch, version: 1 },
    ...{ shard_key: shardKeyOf(id), shard: 'main', pinned: false, created_at: new Date() },
    ...Object.fromEntries(Object.values(LIMIT_COLUMNS).map((column) => [column, null])),
  });
  const pool = {
    queryAnywhere: () =>
      Promise.resolve({
        rows: [{ ...(answers.epoch === null ? { id: null } : row(answers.epoch)), is_replica: answers.is_replica }],
      }),
  };

  beforeEach(() => {
    directory = new DatabaseDirectory({ pool: () => pool } as unknown as Shards);
  });

  const primary = (epoch: number | null) => (answers = { is_replica: false, epoch });
  const replica = (epoch: number | null) => (answers = { is_replica: true, epoch });
  const located = async () => {
    const found = await directory.locate(id);
    return found && { epoch: found.organization.epoch, fresh: found.fresh };
  };
  /** What was read before is looked up again. */
  const again = () => {
    directory.forget(id);
    return located();
  };

  it('calls fresh what the primary says, from memory too, and nothing that a replica says', async () => {
    primary(1);
    expect([await located(), await located()]).toEqual(Array(2).fill({ epoch: 1, fresh: true }));
    replica(2);
    expect(await again()).toEqual({ epoch: 2, fresh: false });
    expect(await located()).toEqual({ epoch: 2, fresh: false });
    primary(2);
    expect(await again()).toEqual({ epoch: 2, fresh: true });
  });

  it('believes what it knows rather than a replica that is behind it, without calling that fresh', async () => {
    primary(3);
    await located();
    replica(2);
    expect(await again()).toEqual({ epoch: 3, fresh: false });
    replica(null);
    expect(await again()).toEqual({ epoch: 3, fresh: false });
    primary(null);
    expect(await again()).toBeUndefined();
  });

  it('has no organization that a replica does not know either', async () => {
    replica(null);
    expect(await located()).toBeUndefined();
    await expect(directory.findBySlug('acme')).resolves.toBeUndefined();
  });
});
