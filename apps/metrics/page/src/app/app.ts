/** The application: one route, one view that is kept up to date, one drawing a frame. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { Client } from '../api/client';
import type { SessionView } from '../api/views';
import { Feed } from '../live/feed';
import { connectionState, inSeconds, staleBanner } from '../parts/connection';
import { frame } from '../parts/frame';
import { problemPage } from '../views/problem.view';
import { signInPage } from '../views/sign-in.view';
import { listenToKeys } from './keys';
import type { PageContext } from './page-context';
import { allowed, attemptOf, crumbsOf, pageOf, samePlace, titleOf, type View } from './places';
import { Renders } from './renders';
import { above, ALL_TENANTS, formatRoute, parseRoute, type Route } from './route';
import { Session } from './session';
import { applyTheme, shownTheme, storedTheme, useTheme } from './theme';

const TICK_MS = 1_000;
const HEADING = 'h1';
const SEARCH = '[data-search]';
const SIGN_IN = '#credential';
const NOWHERE = { status: 404, code: 'not_found', detail: 'The address names no page of the dashboard.' };

export class App {
  private readonly session: Session;
  private readonly renders: Renders;
  private readonly dark = matchMedia('(prefers-color-scheme: dark)');
  private route = parseRoute(location.hash);
  private feed: Feed<View> | undefined;
  /** The view of this place before the range or search was changed. */
  private before: { readonly route: Route; readonly view: View; readonly seenAt: number } | undefined;
  private theme = storedTheme();
  private asTable = false;
  private sorts: ReadonlyMap<string, string> = new Map();
  private filter = '';
  /** What gets the focus with the next drawing. */
  private arrival: string | undefined;

  constructor(private readonly root: HTMLElement) {
    const screen = { frame: (draw: () => void) => requestAnimationFrame(draw), hidden: () => document.hidden };
    this.renders = new Renders(screen, () => this.draw());
    const base = document.baseURI;
    this.session = new Session(
      (credential) => new Client(credential, base),
      () => this.signedInOrOut(),
    );
  }

  start(): void {
    applyTheme(this.theme);
    this.root.replaceChildren();
    window.addEventListener('hashchange', () => this.routed(parseRoute(location.hash)));
    window.addEventListener('online', () => this.hurry());
    window.addEventListener('offline', () => this.renders.request());
    document.addEventListener('visibilitychange', () => this.looked());
    this.dark.addEventListener('change', () => this.renders.request());
    window.setInterval(() => this.tick(), TICK_MS);
    listenToKeys({
      up: () => this.up(),
      search: () => this.search(),
    });
    this.session.resume();
    this.arrival = SIGN_IN;
    this.renders.request();
  }

  private go(route: Route, { replace = false } = {}): void {
    const address = formatRoute(route);
    if (replace) history.replaceState(null, '', address);
    else if (address !== location.hash) history.pushState(null, '', address);
    this.routed(route);
  }

  private routed(asked: Route): void {
    const session = this.session.reader;
    const route = session ? allowed(asked, session) : asked;
    if (route !== asked) history.replaceState(null, '', formatRoute(route));
    const old = this.route;
    this.route = route;
    if (!samePlace(old, route)) {
      this.before = undefined;
      this.filter = '';
      this.arrival = HEADING;
      window.scrollTo(0, 0);
    } else if (this.feed?.view) {
      this.before = { route: old, view: this.feed.view, seenAt: this.feed.seenAt };
    }
    this.follow();
  }

  /** Begins to keep the view of the route up to date. */
  private follow(): void {
    this.feed?.stop();
    this.feed = undefined;
    const attempt = this.session.client && this.session.reader && attemptOf(this.route, this.session.client);
    if (attempt) {
      const feed = new Feed<View>({ attempt, changed: () => this.changed(feed) });
      this.feed = feed;
      if (!document.hidden) feed.start();
    }
    this.renders.request();
  }

  private changed(feed: Feed<View>): void {
    if (feed !== this.feed) return;
    const { connection } = feed;
    if (connection.kind === 'stopped' && connection.problem.status === 401) {
      this.session.signOut(connection.problem.detail);
      return;
    }
    if (connection.kind === 'live') this.before = undefined;
    this.renders.request();
  }

  private signedInOrOut(): void {
    if (this.session.reader && !this.feed) {
      this.route = allowed(parseRoute(location.hash), this.session.reader);
      history.replaceState(null, '', formatRoute(this.route));
      this.arrival = HEADING;
      this.follow();
    } else if (!this.session.feed) {
      this.feed?.stop();
      this.feed = this.before = undefined;
      this.arrival = SIGN_IN;
    }
    this.renders.request();
  }

  /** Nobody looks: nothing is asked. Somebody looks again: everything is. */
  private looked(): void {
    if (document.hidden) {
      this.feed?.pause();
      return;
    }
    this.feed?.start();
    this.renders.shown();
  }

  private hurry(): void {
    this.session.feed?.hurry();
    this.feed?.hurry();
    this.renders.request();
  }

  /** Ages and pauses are counted only where they are shown. */
  private tick(): void {
    const kinds = [this.feed?.connection.kind, this.session.feed?.connection.kind];
    if (kinds.includes('reconnecting')) this.renders.request();
  }

  private up(): void {
    const session = this.session.reader;
    const to = session && above(this.route, session.reader === 'operator');
    if (to) this.go(to);
  }

  private search(): void {
    if (this.session.reader?.reader !== 'operator') return;
    this.go({ ...ALL_TENANTS, range: this.route.range });
    this.arrival = SEARCH;
  }

  private draw(): void {
    const session = this.session.reader;
    const page = session ? this.signedIn(session) : this.signedOut();
    render(page, this.root);
    if (this.arrival === undefined) return;
    const target = this.root.querySelector<HTMLElement>(this.arrival);
    target?.focus({ preventScroll: true });
    if (target instanceof HTMLInputElement) target.select(); // what is typed next takes its place
    this.arrival = undefined;
  }

  private signedOut(): TemplateResult {
    document.title = 'Sign in · Stockyard';
    const { feed, message, typed } = this.session;
    const connection = feed?.connection;
    const problem = connection && 'problem' in connection ? connection.problem : undefined;
    if (feed && !typed && !problem) return html`<p class="boot" role="status">Loading the dashboard …</p>`;
    if (problem && connection)
      return html`<main id="main" class="alone">
        ${problemPage(problem, {
          again: connection.kind === 'reconnecting' ? () => this.hurry() : undefined,
          signOut: () => this.session.signOut(),
          next: inSeconds(connection, Date.now()),
        })}
      </main>`;
    return signInPage({
      message,
      busy: typed,
      onCredential: (credential) => this.session.signIn(credential),
      onUnreadable: () => this.session.signOut('Paste the whole credential: one word, without blanks.'),
    });
  }

  private context(session: SessionView): PageContext {
    return {
      route: this.route,
      session,
      theme: shownTheme(this.theme, this.dark.matches),
      asTable: this.asTable,
      toggleTable: () => this.set({ asTable: !this.asTable }),
      sorts: this.sorts,
      sortBy: (table, key) => this.set({ sorts: new Map([...this.sorts, [table, key]]) }),
      filter: this.filter,
      filterBy: (filter) => this.set({ filter }),
      link: formatRoute,
      go: (route, how) => this.go(route, how),
    };
  }

  private set(state: { asTable?: boolean; sorts?: ReadonlyMap<string, string>; filter?: string }): void {
    Object.assign(this, state);
    this.renders.request();
  }

  private signedIn(session: SessionView): TemplateResult {
    const { route, feed, before } = this;
    const view = feed?.view ?? before?.view;
    const connection = feed?.connection ?? { kind: 'stopped' as const, problem: NOWHERE };
    const seenAt = feed?.view ? feed.seenAt : before?.seenAt;
    const shown = { connection, seenAt, streamed: feed?.everyMs === undefined, online: navigator.onLine };
    const title = titleOf(route, view, session);
    document.title = `${title} · Stockyard`;
    return frame({
      title,
      crumbs: crumbsOf(route, view, session),
      who: session.reader === 'operator' ? 'Operator' : (session.name ?? 'Tenant'),
      route,
      theme: this.theme,
      connection: connectionState(shown),
      banner: staleBanner(shown, Date.now(), () => this.hurry()),
      busy: !feed?.view && before !== undefined,
      content: this.content(session, view) ?? nothing,
      onRange: (range) => {
        const { route: here } = this;
        const first = here.page === 'tenants' ? (({ cursor: _, ...rest }) => rest)(here) : here;
        this.go({ ...first, range }, { replace: true });
      },
      onTheme: (theme) => {
        this.theme = theme;
        useTheme(theme);
        this.renders.request();
      },
      onSignOut: () => this.session.signOut(),
    });
  }

  private content(session: SessionView, view: View | undefined): TemplateResult | undefined {
    const { route, feed } = this;
    const connection = feed?.connection ?? { kind: 'stopped' as const, problem: NOWHERE };
    const stopped = connection.kind === 'stopped';
    if ('problem' in connection && (stopped || view === undefined)) {
      const up = above(route, session.reader === 'operator');
      return problemPage(connection.problem, {
        again: stopped ? undefined : () => this.hurry(),
        up: up && formatRoute(up),
        next: inSeconds(connection, Date.now()),
        signOut: connection.problem.status === 403 ? () => this.session.signOut() : undefined,
      });
    }
    // The same template with and without a view: what is typed into a search must outlive the first answer.
    return html`${pageOf(route, view, this.context(session)) ?? nothing}${
      view === undefined ? html`<p class="loading" role="status">Loading …</p>` : nothing
    }`;
  }
}
