/**
 * `npm run test:topology`: what needs programs of the operating system. Runs the specs of topologies (*.topology-spec.ts)
 * and the data plane's integration specs once more on the oldest Postgres and a native Redis (`topology`), and those that
 * do not need connections of their own through a PgBouncer in transaction mode (`pooled`): a spec that listens, replicates
 * or starts its own cluster is named *.direct.int.spec.ts; the migrator needs direct connections as a whole.
 */
const { projects, ...base } = require('./jest.config.cjs');

const integration = {
  ...projects.find((project) => project.displayName === 'integration'),
  globalSetup: '<rootDir>/libs/testing/src/jest/topology-setup.ts',
};

module.exports = {
  ...base,
  projects: [
    {
      ...integration,
      displayName: 'topology',
      testMatch: [
        '<rootDir>/{apps,libs,tools}/**/*.topology-spec.ts',
        '<rootDir>/libs/{database,inventory,orders,queues,bulk}/**/*.int.spec.ts',
      ],
    },
    {
      ...integration,
      displayName: 'pooled',
      testMatch: ['<rootDir>/libs/{testing,database,inventory,orders}/**/*.int.spec.ts'],
      testPathIgnorePatterns: ['\\.direct\\.int\\.spec\\.ts$', '/libs/database/src/migrate/', '/node_modules/'],
      setupFiles: ['<rootDir>/libs/testing/src/jest/through-poolers.ts'],
    },
  ],
};
