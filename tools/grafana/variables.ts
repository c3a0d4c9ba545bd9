/** What can be chosen at the top of a dashboard. */
import { DATASOURCE } from './panels';

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly [more: string]: unknown;
}

/** Where the pages of docs/runbooks can be read: the links of panels lead there. */
const RUNBOOKS = 'https://stockyard.example.com/docs/runbooks';

function ofLabel(name: string, label: string, metric: string, of: string = name): Variable {
  const query = `label_values(${metric}, ${of})`;
  return {
    name,
    type: 'query',
    label,
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  };
}

export const VARIABLES = {
  process: ofLabel('process', 'Process', 'stockyard_build_info'),
  route: ofLabel('route', 'Route', 'stockyard_http_request_duration_seconds_count'),
  shard: ofLabel('shard', 'Shard', 'stockyard_node_up'),
  job_class: ofLabel('job_class', 'Job class', 'stockyard_queue_jobs'),
  top: {
    name: 'top',
    type: 'custom',
    label: 'Tenants',
    query: '5,10,20',
    multi: false,
    includeAll: false,
    current: { text: '10', value: '10' },
    options: ['5', '10', '20'].map((value) => ({ text: value, value, selected: value === '10' })),
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof VARIABLES;

/** Those that every dashboard has: where to ask, and where runbooks are. */
export const EVERYWHERE: readonly [datasource: Variable, runbooks: Variable] = [
  { name: 'datasource', type: 'datasource', label: 'Prometheus', query: 'prometheus', current: {} },
  {
    name: 'runbooks',
    type: 'textbox',
    label: 'Runbooks at',
    query: RUNBOOKS,
    current: { text: RUNBOOKS, value: RUNBOOKS },
    options: [{ text: RUNBOOKS, value: RUNBOOKS, selected: true }],
  },
];
