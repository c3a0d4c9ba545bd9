/** Instead of a page: what is wrong, and what to do about it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Problem } from '../api/problem';

export interface ProblemActions {
  /** Asks again now. Without it, asking again would not help. */
  readonly again?: (() => void) | undefined;
  /** Where another credential would help, or the page offers no other way out. */
  readonly signOut?: (() => void) | undefined;
  /** The address of what is above. */
  readonly up?: string | undefined;
  /** When it is asked again, in words. */
  readonly next?: string | undefined;
}

interface Words {
  readonly title: string;
  readonly remedy: string;
}

function wordsOf({ status, permission }: Problem, online: boolean): Words {
  if (status === 0 && !online)
    return { title: 'This device is offline', remedy: 'The page goes on by itself when the network is back.' };
  if (status === 0)
    return {
      title: 'No answer',
      remedy: 'Check that the metrics process runs and that this device reaches it. The page keeps trying.',
    };
  if (status === 403)
    return {
      title: permission ? `The permission ${permission} is missing` : 'This credential does not allow it',
      remedy: permission
        ? `Ask an administrator of your organization for a key or role with ${permission}, then sign in with it.`
        : 'Sign in with one that does.',
    };
  if (status === 404)
    return { title: 'There is nothing here', remedy: 'It does not exist, or it is not yours to see.' };
  if (status === 429)
    return { title: 'Too much is asked at once', remedy: 'Close other tabs of this dashboard. The page keeps trying.' };
  if (status === 503)
    return {
      title: 'Not available at the moment',
      remedy: 'A database or Redis does not answer, or the process is full. The page keeps trying.',
    };
  if (status >= 500)
    return { title: 'Something failed', remedy: 'The page keeps trying; the log of the process says more.' };
  return { title: 'This cannot be shown', remedy: 'The address may be wrong.' };
}

export function problemPage(problem: Problem, actions: ProblemActions): TemplateResult {
  const { title, remedy } = wordsOf(problem, navigator.onLine);
  const { again, up, next, signOut } = actions;
  return html`<div class="problem" role="alert">
    <h2>${title}</h2>
    <p>${problem.detail} ${remedy}</p>
    <p class="code">${problem.status === 0 ? nothing : html`${problem.status} `}<code>${problem.code}</code></p>
    <p class="actions">
      ${again ? html`<button type="button" class="primary" @click=${again}>Try again now</button>` : nothing}
      ${up ? html`<a class="button" href=${up}>Go up</a>` : nothing}
      ${
        signOut
          ? html`<button type="button" class=${again ? '' : 'primary'} @click=${signOut}>
              Sign in with another credential
            </button>`
          : nothing
      }
    </p>
    <p class="next" aria-hidden="true">${next ?? nothing}</p>
  </div>`;
}
