/** What a page is given besides its view. */
import type { SessionView } from '../api/views';
import type { Route } from './route';

export interface PageContext {
  readonly route: Route;
  readonly session: SessionView;
  /** `light` or `dark`, as it is shown. */
  readonly theme: string;
  /** Whether series are shown as tables. */
  readonly asTable: boolean;
  readonly toggleTable: () => void;
  /** By what the tables that sort here are sorted, by their names. */
  readonly sorts: ReadonlyMap<string, string>;
  readonly sortBy: (table: string, key: string) => void;
  /** What the routes of a tenant are narrowed to. */
  readonly filter: string;
  readonly filterBy: (text: string) => void;
  readonly link: (route: Route) => string;
  readonly go: (route: Route, how?: { readonly replace?: boolean }) => void;
}
