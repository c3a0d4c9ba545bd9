/** A dashboard as Grafana reads it: rows of panels laid out from left to right, with deploys marked on all of them. */
import { DATASOURCE, type Panel } from './panels';
import { EVERYWHERE, VARIABLES, type Variable, type VariableName } from './variables';

const COLUMNS = 24;
const TAG = 'stockyard';

/** A version of a process that was not there five minutes before: marked until it is as old. */
export const DEPLOYS =
  'group by (process, version) (stockyard_build_info) unless group by (process, version) (stockyard_build_info offset 5m)';

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface DashboardSource {
  /** Its address, for good: `/d/{uid}`. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly VariableName[];
  readonly rows: readonly Row[];
}

type Placed = ReturnType<typeof placed>[number];
export type Dashboard = ReturnType<typeof dashboard>;

/** Panels with ids and places. A row of Grafana's own heads those of each row; what does not fit beside the others goes below. */
function placed(rows: readonly Row[]) {
  let id = 0;
  let y = 0;
  return rows.flatMap(({ title, panels }) => {
    const head = {
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 },
    };
    let x = 0;
    let height = 0;
    const body = panels.map((panel) => {
      const { w, h } = panel.gridPos;
      if (x + w > COLUMNS) [x, y, height] = [0, y + height, 0];
      const place = { ...panel, id: ++id, gridPos: { x, y, w, h } };
      x += w;
      height = Math.max(height, h);
      return place;
    });
    y += height;
    return [head, ...body];
  });
}

const [datasource, runbooks] = EVERYWHERE;

export function dashboard({ uid, title, description, variables, rows }: DashboardSource) {
  return {
    uid,
    title,
    description,
    tags: [TAG],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'utc',
    templating: {
      list: [datasource, ...variables.map((name): Variable => VARIABLES[name]), runbooks],
    },
    annotations: {
      list: [
        {
          name: 'Deploys',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'purple',
          expr: DEPLOYS,
          step: '60s',
          titleFormat: '{{process}} {{version}}',
          tagKeys: 'process,version',
        },
      ],
    },
    links: [
      { type: 'dashboards', title: 'Stockyard', tags: [TAG], asDropdown: true, includeVars: false, keepTime: true },
    ],
    panels: placed(rows),
  };
}

/** Whether it shows something, and does not head a row. */
export const isPanel = (placed: Placed): placed is Extract<Placed, Panel> => placed.type !== 'row';
