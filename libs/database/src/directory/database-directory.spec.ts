import { newId } from '#libs/kernel';
import { shardKeyOf } from '#libs/tenancy';
import type { Shards } from '../shards/shards.service';
import { DatabaseDirectory } from './database-directory';
import { LIMIT_COLUMNS } from './organization-row';

describe('The directory, while a replica answers in place of its primary', () => {
  const id = newId();
  let directory: DatabaseDirectory;
  let answers: { is_replica: boolean; epoch: number | null };

  /** What the next look for a deletion finds. */
  let deletions: { movedTo: string | null }[] = [];

  const row = (epoch: number) => ({
    ...{ id, slug: 'acme', name: 'Acme', tier: 'free', region: 'default', state: 'active', epoch, version: 1 },
    ...{ shard_key: shardKeyOf(id), shard: 'main', pinned: false, created_at: new Date() },
    ...Object.fromEntries(Object.values(LIMIT_COLUMNS).map((column) => [column, null])),
  });
  const pool = {
    queryAnywhere: (sql: string) => {
      if (sql.includes('tenant_operations')) return Promise.resolve({ rows: deletions.splice(0) });
      return Promise.resolve({
        rows: [{ ...(answers.epoch === null ? { id: null } : row(answers.epoch)), is_replica: answers.is_replica }],
      });
    },
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

  it('remembers where an organization went until it hears of it again', async () => {
    primary(null);
    deletions = [{ movedTo: 'us' }];
    const gone = { organization: undefined, movedTo: 'us' };
    expect([await directory.whereabouts(id), await directory.whereabouts(id)]).toEqual([gone, gone]);
    directory.forget(id);
    expect(await directory.whereabouts(id)).toEqual({ ...gone, movedTo: undefined });
    primary(3);
    directory.forget(id); // it came back
    expect(await directory.whereabouts(id)).toMatchObject({ organization: { id, epoch: 3 } });
  });

  it('does not remember as gone what it was told to forget while it looked', async () => {
    primary(null);
    deletions = [{ movedTo: 'us' }];
    const looking = directory.whereabouts(id);
    directory.forget(id);
    expect(await looking).toMatchObject({ movedTo: 'us' });
    primary(1);
    expect(await directory.whereabouts(id)).toMatchObject({ organization: { id } });
  });

  it('has no organization that a replica does not know either', async () => {
    replica(null);
    expect(await located()).toBeUndefined();
    await expect(directory.findBySlug('acme')).resolves.toBeUndefined();
  });
});
