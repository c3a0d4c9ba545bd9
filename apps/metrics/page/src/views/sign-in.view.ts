/** Asks for a credential. The page never puts it anywhere but into sessionStorage and the header of its requests. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { readCredential } from '../api/credential';

export interface SignInOptions {
  /** Why somebody is here who was signed in, or who tried. */
  readonly message: string | undefined;
  readonly busy: boolean;
  readonly onCredential: (credential: string) => void;
  readonly onUnreadable: () => void;
}

export function signInPage({ message, busy, onCredential, onUnreadable }: SignInOptions): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement).get('credential');
    const credential = readCredential(typeof given === 'string' ? given : '');
    if (credential === undefined) onUnreadable();
    else onCredential(credential);
  };
  return html`<main class="sign-in" id="main">
    <form @submit=${submit} novalidate>
      <h1 tabindex="-1">Stockyard</h1>
      <p>The platform for operators, and each tenant for itself, as it happens.</p>
      <label for="credential">Credential</label>
      <input
        id="credential"
        name="credential"
        type="password"
        autocomplete="current-password"
        spellcheck="false"
        autocapitalize="off"
        aria-describedby="credential-help credential-problem"
        aria-invalid=${message ? 'true' : nothing}
        autofocus
      />
      <p class="help" id="credential-help">
        The operators’ token, or an API key or access token of a tenant with <code>usage:read</code>. It is kept in this
        tab until you sign out or close it.
      </p>
      <p class="form-problem" id="credential-problem" role="alert">${message ?? nothing}</p>
      <button type="submit" class="primary" aria-busy=${busy ? 'true' : nothing}>
        ${busy ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  </main>`;
}
