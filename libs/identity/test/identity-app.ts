/** The identity library over a real database, for its integration specs, with the hints it publishes caught. */
import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { IDENTITY_ENTITIES, IdentityModule, type NewUser, PERMISSIONS, type User, UserCreation } from '#libs/identity';
import { Clock, ManualClock } from '#libs/kernel';
import { type EventName, type EventPayloads, PlatformEvents } from '#libs/messaging';
import { TenancyModule, type TenantContext, TenantContextHolder } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, type TestOrganization } from '#libs/testing';

export class RecordedEvents extends PlatformEvents {
  readonly published: { name: EventName; payload: unknown }[] = [];

  override publish<N extends EventName>(name: N, payload: EventPayloads[N]): void {
    this.published.push({ name, payload });
  }
}

@Global()
@Module({ providers: [{ provide: PlatformEvents, useClass: RecordedEvents }], exports: [PlatformEvents] })
class RecordedEventsModule {}

export const PASSWORD = 'a long enough password';

export class IdentityApp {
  private constructor(
    readonly env: TestEnvironment,
    readonly module: TestingModule,
    readonly clock: ManualClock,
  ) {}

  static async start(): Promise<IdentityApp> {
    const env = await createTestEnvironment();
    const clock = new ManualClock(Date.now());
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(env.config),
        TenancyModule,
        DatabaseModule.forRoot({ config: env.config, applicationName: 'spec', entities: IDENTITY_ENTITIES }),
        RecordedEventsModule,
        AuditModule,
        IdentityModule,
      ],
    })
      .overrideProvider(Clock)
      .useValue(clock)
      .compile();
    await module.init();
    return new IdentityApp(env, module, clock);
  }

  get<T>(token: abstract new (...args: never[]) => T): T {
    return this.module.get<T>(token);
  }

  get events(): RecordedEvents['published'] {
    return this.module.get<RecordedEvents>(PlatformEvents).published;
  }

  organization(limits: { readonly maxUsers?: number } = {}): Promise<TestOrganization> {
    return createOrganization(this.env).then(async (organization) => {
      if (limits.maxUsers !== undefined) {
        const insert = 'insert into tenant_limits (organization_id, max_users) values ($1, $2)';
        await this.env.query(insert, [organization.id, limits.maxUsers]);
      }
      return organization;
    });
  }

  /** Runs work as a caller of an organization: an operator with every permission, unless told otherwise. */
  as<T>(
    organization: { readonly id: string },
    work: () => Promise<T>,
    caller: Partial<Pick<TenantContext, 'actor' | 'permissions'>> = {},
  ): Promise<T> {
    const context: TenantContext = {
      organizationId: organization.id,
      actor: { type: 'operator', id: null },
      permissions: new Set<string>(PERMISSIONS),
      requestId: 'spec',
      ...caller,
    };
    return this.get(TenantContextHolder).run(context, work);
  }

  addUser(organization: { readonly id: string }, change: Partial<NewUser> = {}): Promise<User> {
    const email = `user-${Math.random().toString(36).slice(2)}@example.com`;
    const user: NewUser = { email, name: 'Some Body', role: 'viewer', password: PASSWORD, ...change };
    return this.as(organization, () => this.get(UserCreation).create(user));
  }

  /** Actions in an organization's audit log, oldest first. */
  async auditedActions(organization: { readonly id: string }): Promise<string[]> {
    const select = 'select action from audit_log where organization_id = $1 order by id';
    return (await this.env.query<{ action: string }>(select, [organization.id])).map(({ action }) => action);
  }

  async close(): Promise<void> {
    await this.module.close();
    await this.env.dispose();
  }
}

/** How many settled which way: the codes of refusals, and `ok`. */
export function outcomes(settled: readonly PromiseSettledResult<unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of settled) {
    const name = result.status === 'fulfilled' ? 'ok' : ((result.reason as { code?: string }).code ?? 'error');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export const refused = (code: string): unknown => expect.objectContaining({ code });
