/** Who is signed in. A credential counts once the server has said whose it is; a tab that is loaded anew asks again. */
import type { Client } from '../api/client';
import { forgetCredential, storeCredential, storedCredential } from '../api/credential';
import type { SessionView } from '../api/views';
import { type Attempt, Feed } from '../live/feed';

/** Asks once; what a feed does about answers that do not come is the same here. */
function once(client: Client): Attempt<SessionView> {
  return async (take, signal) => {
    const answer = await client.read<SessionView>({ path: 'session' }, signal);
    if (answer.problem) return { problem: answer.problem };
    take(answer.value);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return {};
  };
}

export class Session {
  client: Client | undefined;
  feed: Feed<SessionView> | undefined;
  /** Said on the page that asks for a credential. */
  message: string | undefined;
  /** The credential was typed just now, so that its form stays until it is accepted. */
  typed = false;

  constructor(
    private readonly connect: (credential: string) => Client,
    private readonly changed: () => void,
  ) {}

  get reader(): SessionView | undefined {
    return this.feed?.view;
  }

  /** Goes on with the credential of this tab, if there is one. */
  resume(): void {
    const credential = storedCredential();
    if (credential !== undefined) this.open(credential);
  }

  signIn(credential: string): void {
    this.message = undefined;
    this.typed = true;
    this.open(credential);
  }

  signOut(message?: string): void {
    forgetCredential();
    this.feed?.stop();
    this.feed = this.client = undefined;
    this.typed = false;
    this.message = message;
    this.changed();
  }

  private open(credential: string): void {
    this.feed?.stop();
    this.client = this.connect(credential);
    const feed = new Feed<SessionView>({
      attempt: once(this.client),
      changed: () => {
        if (this.feed !== feed) return;
        const { connection } = feed;
        if (connection.kind === 'stopped' && connection.problem.status === 401) {
          this.signOut(connection.problem.detail);
          return;
        }
        if (connection.kind === 'live') {
          storeCredential(credential);
          this.typed = false;
        }
        this.changed();
      },
    });
    this.feed = feed;
    feed.start();
  }
}
