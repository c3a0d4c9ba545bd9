/**
 * `npm run test:topology`: what needs programs of the operating system. Runs the specs of topologies
 * (*.topology-spec.ts), and the data plane's integration specs once more on the oldest Postgres and a native Redis.
 */
const { projects, ...base } = require('./jest.config.cjs');

const integration = projects.find((project) => project.displayName === 'integration');

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
      globalSetup: '<rootDir>/libs/testing/src/jest/topology-setup.ts',
    },
  ],
};
