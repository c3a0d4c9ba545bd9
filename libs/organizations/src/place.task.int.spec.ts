import { Test, type TestingModule } from '@nestjs/testing';
import { UpkeepTasks } from '#libs/queues';
import { Directory, type Organization } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, platformModules, type TestEnvironment } from '#libs/testing';
import { OrganizationsWorkerModule } from '.';
import { PlaceTask } from './place.task';

describe('the upkeep of places', () => {
  let env: TestEnvironment;
  let app: TestingModule;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), OrganizationsWorkerModule],
    })
      .useMocker((token) => (token === UpkeepTasks ? new UpkeepTasks() : undefined))
      .compile();
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  /** As the upkeep found it when it began. */
  const found = async (): Promise<Organization> => {
    const { id } = await createOrganization(env);
    return (await app.get(Directory).find(id))!;
  };
  const run = (organization: Organization) => app.get(PlaceTask).run(organization);
  const placeOf = ({ id }: Organization) => env.query('select epoch, state from tenant_places where tenant = $1', [id]);

  it('makes a place that is missing, and changes one that is behind', async () => {
    const organization = await found();
    await env.query('delete from tenant_places where tenant = $1', [organization.id]);
    await run(organization);
    expect(await placeOf(organization)).toEqual([{ epoch: 1, state: 'open' }]);
    await run({ ...organization, epoch: 2, state: 'suspended' });
    expect(await placeOf(organization)).toEqual([{ epoch: 2, state: 'suspended' }]);
    await run(organization);
    expect(await placeOf(organization)).toEqual([{ epoch: 2, state: 'suspended' }]);
  });

  it('brings no place back of an organization that was deleted meanwhile', async () => {
    const organization = await found();
    await env.query('delete from organizations where id = $1', [organization.id]);
    await env.query('delete from tenant_places where tenant = $1', [organization.id]);
    await run(organization);
    expect(await placeOf(organization)).toEqual([]);
  });

  it('brings no place back on a shard that the organization has left meanwhile', async () => {
    const organization = await found();
    await env.query("update organizations set shard = 'two', epoch = 3 where id = $1", [organization.id]);
    await env.query('delete from tenant_places where tenant = $1', [organization.id]); // as a move back that failed does
    await run(organization);
    expect(await placeOf(organization)).toEqual([]);
  });

  it.each(['arriving', 'moved', 'deleting'])('leaves a place alone that is %s', async (state) => {
    const organization = await found();
    await env.query('update tenant_places set state = $2 where tenant = $1', [organization.id, state]);
    await run({ ...organization, epoch: 9 });
    expect(await placeOf(organization)).toEqual([{ epoch: 1, state }]);
  });
});
