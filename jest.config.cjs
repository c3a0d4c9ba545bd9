/**
 * `npm test`: unit specs beside their files, integration specs (*.int.spec.ts) and end-to-end specs (*.e2e-spec.ts)
 * against the real servers that the global setup starts.
 */
const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: { '\\.ts$': ['@swc/jest', require('./jest.swc.cjs')] },
  // The same aliases as everywhere: package.json "imports", read under the condition "source".
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'require', 'default'] },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};

module.exports = {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,tools,bench}/**/*.spec.ts'],
      testPathIgnorePatterns: ['\\.int\\.spec\\.ts$', '/node_modules/'],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/{apps,libs,tools,bench}/**/*.int.spec.ts', '<rootDir>/apps/**/*.e2e-spec.ts'],
      globalSetup: '<rootDir>/libs/testing/src/jest/global-setup.ts',
      globalTeardown: '<rootDir>/libs/testing/src/jest/global-teardown.ts',
      setupFilesAfterEnv: ['<rootDir>/libs/testing/src/jest/retry-once.ts'],
    },
  ],
  testSequencer: '<rootDir>/jest.sequencer.cjs',
  testTimeout: 60_000,
  maxWorkers: 3, // of two processors: specs wait half of their time, for processes to start and leases to end
};
