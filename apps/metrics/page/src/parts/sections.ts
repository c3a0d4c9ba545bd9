/** Pieces that several pages are made of. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Content } from '../text/figures';

let ids = 0;
const identifiers = new Map<string, string>();

/** The same heading keeps its id between two renders. */
function idOf(title: string): string {
  const known = identifiers.get(title);
  if (known !== undefined) return known;
  const made = `section-${++ids}`;
  identifiers.set(title, made);
  return made;
}

export function section(title: string, content: Content, { about, wide }: { about?: Content; wide?: true } = {}) {
  const id = idOf(title);
  return html`<section class="panel ${wide ? 'wide' : ''}" aria-labelledby=${id}>
    <header class="panel-head">
      <h2 id=${id}>${title}</h2>
      ${about ? html`<p class="about">${about}</p>` : nothing}
    </header>
    ${content}
  </section>`;
}

export const badge = (text: string, level: 'calm' | 'accent' | 'trouble' = 'calm'): TemplateResult =>
  html`<span class="badge ${level}">${text}</span>`;

/** What the view could not find out. */
export function missingBanner(missing: readonly string[]): Content {
  if (missing.length === 0) return nothing;
  return html`<div class="banner" role="status">
    <strong>Not everything could be asked.</strong>
    ${
      missing.length === 1
        ? missing[0]
        : html`<ul>
            ${missing.map((what) => html`<li>${what}</li>`)}
          </ul>`
    }
  </div>`;
}
