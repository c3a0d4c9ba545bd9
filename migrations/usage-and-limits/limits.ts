/** Limits in SQL: what each tier allows, and what holds for one tenant. */

/** The same numbers as TIER_LIMITS in libs/tenancy; a test holds both against each other. */
export const TIER_LIMITS_TABLE = `
  create table tier_limits (
    tier text primary key check (tier in ('free', 'starter', 'professional', 'enterprise')),
    max_connections integer not null,
    api_calls_per_hour integer not null,
    max_users integer not null,
    max_storage_bytes bigint not null,
    requests_per_minute integer not null,
    auth_attempts_per_15_minutes integer not null,
    exports_per_hour integer not null,
    bulk_per_hour integer not null,
    scheduling_weight integer not null);
  insert into tier_limits values
    ('free', 4, 6000, 5, 1 * 1073741824::bigint, 100, 5, 10, 5, 1),
    ('starter', 8, 36000, 25, 10 * 1073741824::bigint, 600, 5, 30, 20, 2),
    ('professional', 16, 180000, 250, 100 * 1073741824::bigint, 3000, 5, 120, 60, 4),
    ('enterprise', 32, 1800000, 10000, 1000 * 1073741824::bigint, 30000, 5, 600, 300, 8);`;

export const LIMIT_FUNCTIONS = `
  -- The functions below look at one tenant's overrides, whoever asks; whom they answer is decided in tenant_limit().
  create policy limits on tenant_limits for select to stockyard_owner using (true);

  -- What a limit allows a tenant: its override, else that of its tier. The name is that of the column in tenant_limits.
  -- A serving role is answered for the tenant it has set and no other. Unknown limits and tenants that do not live on this
  -- shard are errors.
  create function tenant_limit(organization uuid, limit_name text) returns bigint language plpgsql stable security definer
    set search_path = public, pg_temp as $$
  declare
    caller name := coalesce(nullif(current_setting('role'), 'none'), session_user);
    defaults jsonb; overrides jsonb;
  begin
    if organization is distinct from current_tenant() and not pg_has_role(caller, 'stockyard_owner', 'member') then
      raise exception using errcode = '42501', message = 'Limits are told for the tenant that is set, and for no other.';
    end if;
    select to_jsonb(t) - 'tier' into defaults from tenant_places p join tier_limits t on t.tier = p.tier
      where p.tenant = organization and p.state in ('open', 'suspended', 'fenced');
    if defaults is null then
      raise exception using errcode = 'P0002', message = format('There is no tenant %s on this shard.', organization);
    end if;
    if limit_name is null or not defaults ? limit_name then
      raise exception using errcode = '22023', message = format('There is no limit named %s.', limit_name);
    end if;
    select to_jsonb(l) into overrides from tenant_limits l where l.organization_id = organization;
    return coalesce((overrides ->> limit_name)::bigint, (defaults ->> limit_name)::bigint);
  end $$;

  -- Whether a tenant may have 'amount' of something in use: false is beyond the limit. Errors as tenant_limit().
  create function check_tenant_limit(organization uuid, limit_name text, amount bigint) returns boolean
    language plpgsql stable as $$
  declare
    maximum bigint := tenant_limit(organization, limit_name);
  begin
    if amount is null then
      raise exception using errcode = '22004', message = 'The amount to check against a limit is missing.';
    end if;
    return amount <= maximum;
  end $$;

  -- Refuses with limit_exceeded (403) what would be beyond a limit; the same facts as limitExceeded() in libs/tenancy.
  create function require_tenant_limit(organization uuid, limit_name text, amount bigint) returns void
    language plpgsql stable as $$
  declare
    maximum bigint;
  begin
    if check_tenant_limit(organization, limit_name, amount) then return; end if;
    maximum := tenant_limit(organization, limit_name);
    perform refuse('limit_exceeded', 'forbidden',
      format('The limit %s of %s would be exceeded; free some of it, or ask the platform''s operators for more.', limit_name, maximum),
      null, jsonb_build_object('limit', limit_name, 'maximum', maximum, 'requested', amount));
  end $$;

  revoke execute on function tenant_limit(uuid, text), check_tenant_limit(uuid, text, bigint),
    require_tenant_limit(uuid, text, bigint) from public;
  grant execute on function tenant_limit(uuid, text), check_tenant_limit(uuid, text, bigint),
    require_tenant_limit(uuid, text, bigint) to stockyard_app;`;
