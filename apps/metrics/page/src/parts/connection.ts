/** The state of the connection: said once to those who listen, and counted by the second for those who see. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Connection } from '../live/feed';
import { age, clockSeconds } from '../text/format';
import { type Content, moment } from '../text/figures';

interface Shown {
  readonly connection: Connection;
  /** When the view on the screen came; undefined: there is none. */
  readonly seenAt: number | undefined;
  readonly streamed: boolean;
  readonly online: boolean;
}

function wordOf({ connection, streamed, online }: Shown): string {
  switch (connection.kind) {
    case 'live':
      return streamed ? 'Live' : 'Every 10 s';
    case 'reconnecting':
      return online ? 'Reconnecting' : 'Offline';
    case 'stopped':
      return 'Stopped';
    case 'paused':
      return 'Paused';
    case 'connecting':
      return 'Connecting';
  }
}

export function connectionState(shown: Shown): TemplateResult {
  const { connection, seenAt } = shown;
  return html`<p class="connection ${connection.kind}">
    <span role="status" aria-live="polite"><i class="dot" aria-hidden="true"></i>${wordOf(shown)}</span>
    ${seenAt === undefined ? nothing : html`<span class="as-of">${moment(new Date(seenAt).toISOString(), clockSeconds)}</span>`}
  </p>`;
}

export const inSeconds = (connection: Connection, now: number): string | undefined => {
  if (connection.kind !== 'reconnecting') return undefined;
  const left = connection.nextAt - now;
  return left > 0 ? `Next try in ${Math.ceil(left / 1000)} s.` : 'Trying …';
};

/** Above numbers that are no longer kept up to date. */
export function staleBanner({ connection, seenAt, online }: Shown, now: number, again: () => void): Content {
  if (connection.kind !== 'reconnecting' || seenAt === undefined) return nothing;
  const why = online ? connection.problem.detail : 'This device is offline.';
  return html`<div class="banner strip trouble">
    <span>${why} Reconnecting since ${moment(new Date(connection.since).toISOString(), clockSeconds)} UTC.</span>
    <span aria-hidden="true">The numbers are ${age(now - seenAt)} old. ${inSeconds(connection, now)}</span>
    <button type="button" class="quiet" @click=${again}>Try now</button>
  </div>`;
}
