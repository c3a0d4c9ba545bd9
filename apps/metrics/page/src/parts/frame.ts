/** What stands around every page: the way here, the range, the state of the connection, and who is looking. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { type Theme, THEMES } from '../app/theme';
import { RANGES, rangeText, type Route } from '../app/route';
import type { RangeName } from '../api/views';
import { words } from '../text/format';
import type { Content } from '../text/figures';

export interface Crumb {
  readonly text: string;
  readonly href?: string;
}

export interface FrameOptions {
  readonly title: string;
  readonly crumbs: readonly Crumb[];
  readonly who: string;
  readonly route: Route;
  readonly theme: Theme;
  readonly connection: Content;
  readonly banner: Content;
  readonly content: Content;
  /** What is shown is of the range before. */
  readonly busy: boolean;
  readonly onRange: (range: RangeName) => void;
  readonly onTheme: (theme: Theme) => void;
  readonly onSignOut: () => void;
}

function breadcrumbs(crumbs: readonly Crumb[]): TemplateResult {
  return html`<nav class="crumbs" aria-label="Where you are">
    <ol>
      ${crumbs.map(({ text, href }) =>
        href ? html`<li><a href=${href}>${text}</a></li>` : html`<li><span aria-current="page">${text}</span></li>`,
      )}
    </ol>
  </nav>`;
}

/** Radio buttons, so that the arrow keys work as everywhere. */
function rangeSwitch(range: RangeName, onRange: FrameOptions['onRange']): TemplateResult {
  return html`<fieldset class="ranges">
    <legend class="hidden">Range</legend>
    ${RANGES.map(
      (name) =>
        html`<label title="The last ${rangeText(name)}">
          <input type="radio" name="range" value=${name} .checked=${name === range} @change=${() => onRange(name)} />
          <span>${name}</span>
        </label>`,
    )}
  </fieldset>`;
}

function themeSwitch(theme: Theme, onTheme: FrameOptions['onTheme']): TemplateResult {
  return html`<label class="themes">
    <span class="hidden">Colours</span>
    <select @change=${(event: Event) => onTheme((event.target as HTMLSelectElement).value as Theme)}>
      ${THEMES.map((name) => html`<option value=${name} .selected=${name === theme}>${words(name)}</option>`)}
    </select>
  </label>`;
}

export function frame(options: FrameOptions): TemplateResult {
  const { title, crumbs, who, route, theme, connection, banner, content, busy } = options;
  return html`<button type="button" class="skip" @click=${() => document.getElementById('main')?.focus()}>
      Skip to the content
    </button>
    <header class="top">
      <div class="top-row">
        <span class="mark" aria-hidden="true"></span>
        ${breadcrumbs(crumbs)}
        <div class="top-end">
          ${connection}
          <span class="reader" title="Signed in as ${who}">${who}</span>
          ${themeSwitch(theme, options.onTheme)}
          <button type="button" class="quiet" @click=${options.onSignOut}>Sign out</button>
        </div>
      </div>
    </header>
    ${banner}
    <main id="main" tabindex="-1" aria-busy=${busy ? 'true' : nothing} class=${busy ? 'busy' : ''}>
      <div class="page-head">
        <h1 tabindex="-1">${title}</h1>
        ${rangeSwitch(route.range, options.onRange)}
      </div>
      ${content}
    </main>
    <footer class="foot">
      <span>Times are UTC.</span>
      <span><kbd>/</kbd> search</span>
      <span><kbd>Esc</kbd> up</span>
      <span><kbd>←</kbd> <kbd>→</kbd> in the range</span>
    </footer>`;
}
