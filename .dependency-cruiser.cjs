/**
 * One-way imports, checked: kernel → config → tenancy, tracing → database, redis → cache, throttling, queues, messaging →
 * domain → apps. A library may import only what stands in its row here, and only through its index.
 */
const FOUNDATION = ['kernel', 'config', 'tenancy', 'tracing'];
const DATA = [...FOUNDATION, 'database', 'redis'];
const PLATFORM = [
  ...DATA,
  'messaging',
  'cache',
  'throttling',
  'queues',
  'observability',
  'usage',
  'storage',
  'idempotency',
];

const ALLOWED = {
  kernel: [],
  'local-stack': [],
  config: ['kernel'],
  tracing: ['kernel'],
  tenancy: ['kernel', 'config'],
  database: FOUNDATION,
  redis: FOUNDATION,
  coordination: [...FOUNDATION, 'redis'],
  messaging: DATA,
  observability: DATA,
  http: FOUNDATION,
  outbound: FOUNDATION,
  storage: [...FOUNDATION, 'database'],
  idempotency: DATA,
  usage: [...DATA, 'observability'],
  'tenant-move': ['kernel', 'database'],
  cache: [...DATA, 'messaging', 'observability', 'usage'],
  throttling: [...DATA, 'http', 'messaging', 'observability', 'usage'],
  queues: [...DATA, 'messaging', 'observability', 'usage', 'idempotency'],
  health: [...DATA, 'storage', 'observability', 'messaging'],
  audit: PLATFORM,
  identity: [...PLATFORM, 'audit'],
  organizations: [...PLATFORM, 'audit'],
  catalog: PLATFORM,
  inventory: [...PLATFORM, 'catalog', 'audit'],
  orders: [...PLATFORM, 'catalog', 'inventory'],
  lifecycle: [...PLATFORM, 'tenant-move'],
  bulk: [...PLATFORM, 'catalog', 'inventory', 'audit'],
  reports: PLATFORM,
  schedules: [...PLATFORM, 'audit'],
  connections: [...PLATFORM, 'outbound', 'inventory', 'audit'],
};

const names = Object.keys(ALLOWED);

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'known-library',
      comment: 'A new library gets a row in ALLOWED.',
      severity: 'error',
      from: { path: `^libs/(?!(?:${names.join('|')}|testing)/)` },
      to: {},
    },
    ...names.map((name) => ({
      name: `one-way-${name}`,
      severity: 'error',
      from: { path: `^libs/${name}/`, pathNot: '[.-]spec\\.ts$|/test/' },
      to: {
        path: '^(?:libs|apps|tools|bench|migrations)/',
        pathNot: [...ALLOWED[name], name].map((lib) => `^libs/${lib}/`),
      },
    })),
    {
      name: 'only-through-the-index',
      severity: 'error',
      from: { path: '^(libs/[^/]+|apps/[^/]+|tools|bench|migrations)/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts$)', pathNot: '^$1/' },
    },
    {
      name: 'the-page-is-no-server-code',
      comment: 'Of the server, the page of the dashboard knows types alone: the shapes of what it is answered.',
      severity: 'error',
      from: { path: '^apps/metrics/page/src/', pathNot: '[.]spec\\.ts$' },
      to: { path: '^(?:apps/metrics/(?:src|page/test)|libs|migrations|tools)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-server-code-imports-the-page',
      severity: 'error',
      from: { path: '^(?:apps|libs|migrations|tools|bench)/', pathNot: '^apps/metrics/page/' },
      to: { path: '^apps/metrics/page/' },
    },
    {
      name: 'no-library-imports-an-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(?:apps|tools|bench)/' },
    },
    {
      name: 'apps-stand-alone',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '(?:\\.spec|\\.e2e-spec)\\.ts$|/test/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'no-test-support-in-the-product',
      severity: 'error',
      from: { path: '^(?:apps|libs)/', pathNot: '(?:[.-]spec)\\.ts$|^libs/(?:testing|local-stack)/|/test/' },
      to: { path: '^libs/(?:testing|local-stack)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'node', 'require', 'default'] },
  },
};
