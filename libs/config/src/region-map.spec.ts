import { ConfigError, loadConfig } from './config';

const REGIONS = JSON.stringify({ eu: 'https://eu.example.com/', us: 'https://us.example.com/stock' });
const REGIONS_SECRET = 'a-secret-that-all-regions-share-12';
const EU = { REGION: 'eu', REGIONS, REGIONS_SECRET };

describe('the regions of the configuration', () => {
  it('are none by default, and every shard is here', () => {
    const config = loadConfig({ DATABASE_SHARDS: '{"two":{"url":"postgres://two/x"}}' });
    expect(config).toMatchObject({ REGION: 'default', regions: {}, shardRegions: { main: 'default', two: 'default' } });
    expect(config.shards.map(({ name }) => name)).toEqual(['main', 'two']);
  });

  it('have the addresses of their apis, without a slash at the end', () => {
    expect(loadConfig(EU).regions).toEqual({ eu: 'https://eu.example.com', us: 'https://us.example.com/stock' });
  });

  it('leave the shards of other regions known by name, and nothing more', () => {
    const config = loadConfig({ ...EU, DATABASE_SHARDS: '{"two":{"url":"postgres://two/x","region":"us"}}' });
    expect(config.shards.map(({ name }) => name)).toEqual(['main']);
    expect(config.shardRegions).toEqual({ main: 'eu', two: 'us' });
  });

  it('may have the directory elsewhere', () => {
    const config = loadConfig({
      ...EU,
      REGION: 'us',
      DATABASE_REGION: 'eu',
      DATABASE_SHARDS: '{"two":{"url":"postgres://two/x"}}',
    });
    expect(config.directory).toMatchObject({ name: 'main', region: 'eu' });
    expect(config.shards.map(({ name }) => name)).toEqual(['two']);
  });

  it.each([
    ['not JSON', { REGIONS: '{hush' }, /REGIONS must be JSON/],
    ['an address that is none', { REGIONS: '{"eu":"hush"}' }, /REGIONS must name the address/],
    ['an address with a query', { REGIONS: '{"eu":"https://hush?x=1"}' }, /REGIONS must name the address/],
    ['a name that is none', { REGIONS: '{"E U":"https://hush"}' }, /REGIONS must name the address/],
    ['regions without the own one', { REGION: 'ap' }, /REGIONS must name the REGION of this deployment/],
    ['regions that only look as if they had it', { REGION: 'constructor' }, /REGIONS must name the REGION/],
    ['no secret', { REGIONS_SECRET: '' }, /REGIONS_SECRET is missing/],
    ['a short secret', { REGIONS_SECRET: 'hush' }, /REGIONS_SECRET must have at least 32/],
    [
      'a shard of a region that is none',
      { DATABASE_SHARDS: '{"two":{"url":"postgres://hush/x","region":"ap"}}' },
      /DATABASE_SHARDS places a shard/,
    ],
    ['a directory of a region that is none', { DATABASE_REGION: 'ap' }, /DATABASE_REGION places a shard/],
    ['no shard of its own', { DATABASE_REGION: 'us' }, /DATABASE_SHARDS must name a shard of this REGION/],
  ])('are refused with %s, by the name of the variable and without its value', (_, change, problem) => {
    const attempt = () => loadConfig({ ...EU, ...change });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(problem);
    expect(attempt).not.toThrow(/hush/);
  });
});
