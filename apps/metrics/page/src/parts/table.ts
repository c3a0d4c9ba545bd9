/** Real tables: a caption, headings that sort, and a container of their own to scroll in, so that the page never does sideways. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { Content } from '../text/figures';

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => Content;
  readonly numeric?: true;
  /** The key by which it sorts; without one it does not. */
  readonly sort?: string;
  /** Ascending is what people expect of names. */
  readonly ascending?: true;
}

export interface TableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly key: (row: Row) => string;
  /** Said instead of rows. */
  readonly empty: string;
  readonly sorted?: string;
  readonly onSort?: (key: string) => void;
  readonly trouble?: (row: Row) => boolean;
  /** The caption is also what stands above as a heading. */
  readonly quiet?: true;
}

function heading<Row>(column: Column<Row>, { sorted, onSort }: TableOptions<Row>): TemplateResult {
  const { label, sort, ascending } = column;
  const side = column.numeric ? 'numeric' : '';
  if (sort === undefined || !onSort) return html`<th scope="col" class=${side}>${label}</th>`;
  const direction = ascending ? 'ascending' : 'descending';
  const active = sort === sorted;
  const arrow = active ? html`<span aria-hidden="true">${ascending ? '↑' : '↓'}</span>` : nothing;
  return html`<th scope="col" class=${side} aria-sort=${active ? direction : nothing}>
    <button type="button" class="sort" title="Sort by ${label}" @click=${() => onSort(sort)}>
      ${column.numeric ? arrow : nothing}${label}${column.numeric ? nothing : arrow}
    </button>
  </th>`;
}

function cells<Row>(columns: readonly Column<Row>[], row: Row): TemplateResult[] {
  return columns.map((column, index) =>
    index === 0
      ? html`<th scope="row">${column.cell(row)}</th>`
      : html`<td class=${column.numeric ? 'numeric' : ''}>${column.cell(row)}</td>`,
  );
}

export function table<Row>(options: TableOptions<Row>): TemplateResult {
  const { caption, columns, rows, key, empty, trouble, quiet } = options;
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0">
    <table>
      <caption class=${quiet ? 'hidden' : ''}>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => heading(column, options))}
        </tr>
      </thead>
      <tbody>
        ${repeat(
          rows,
          key,
          (row) =>
            html`<tr class=${trouble?.(row) ? 'trouble' : ''}>
              ${cells(columns, row)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
