/** A bar for a share of something. Drawn as SVG: its width is an attribute, where the policy of the page forbids inline styles. */
import { html, svg, type TemplateResult } from 'lit-html';

export type Level = 'calm' | 'trouble';

/** `share` beyond 0 to 1 is drawn as the end that it passed. For eyes alone: the number always stands beside it. */
export function bar(share: number, level: Level = 'calm'): TemplateResult {
  const width = `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)}%`;
  return html`<svg class="bar ${level}" aria-hidden="true" focusable="false">
    ${svg`<rect class="track" width="100%" height="100%" rx="2"></rect><rect class="fill" width=${width} height="100%" rx="2"></rect>`}
  </svg>`;
}
