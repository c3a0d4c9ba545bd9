/**
 * Specs that take more than half a minute begin first: one that began near the end would run alone, beside an idle processor.
 * By hand, as a clean checkout has no times of an earlier run; the others follow in jest's own order. One that is missing here
 * costs time and nothing else.
 */
const { default: Sequencer } = require('@jest/test-sequencer');
const { relative } = require('node:path');

const LONGEST_FIRST = [
  'apps/worker/test/move-loss.direct.int.spec.ts',
  'apps/worker/test/operation-loss.int.spec.ts',
  'libs/tenant-move/src/tenant-move-killed.int.spec.ts',
  'apps/worker/test/worker-loss.int.spec.ts',
  'apps/api/test/read-your-writes.direct.e2e-spec.ts',
  'tools/stack/stack.int.spec.ts',
  'libs/reports/src/report-memory.int.spec.ts',
  'apps/api/test/server-loss.direct.e2e-spec.ts',
  'apps/api/test/patroni.topology-spec.ts',
  'libs/queues/src/sentinel.topology-spec.ts',
  'apps/api/test/balancers.topology-spec.ts',
  'libs/queues/src/exactly-once.topology-spec.ts',
  'libs/queues/src/cluster.topology-spec.ts',
  'apps/worker/test/schedule-loss.int.spec.ts',
  'libs/lifecycle/src/lifecycle.int.spec.ts',
  'apps/api/test/secrets-in-logs.e2e-spec.ts',
  'tools/cli/cli.int.spec.ts',
  'apps/worker/test/sync-loss.int.spec.ts',
  'libs/throttling/test/processes.int.spec.ts',
  'apps/api/test/tracing.e2e-spec.ts',
  'libs/queues/src/relay/outbox-order.int.spec.ts',
  'tools/rules/alerts.topology-spec.ts',
  'apps/metrics/page/test/dashboard.topology-spec.ts',
  'libs/coordination/test/processes.int.spec.ts',
  'apps/api/test/tenant-move.direct.e2e-spec.ts',
  'apps/worker/test/stock-alerts-loss.int.spec.ts',
];

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ context, path }) => {
      const at = LONGEST_FIRST.indexOf(relative(context.config.rootDir, path));
      return at === -1 ? LONGEST_FIRST.length : at;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
