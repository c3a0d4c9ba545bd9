/** Opens streams of views for whoever may read them, asks again at each look whether they still may, and leaves none behind. */
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { eventStream } from '#libs/http';
import { newId } from '#libs/kernel';
import { organizationSuspended } from '#libs/tenancy';
import type { Reader } from '../../access/reader';
import { READ_PERMISSION, ReaderService } from '../../access/reader.service';
import type { Look } from '../shared-view';
import { DashboardWatchers } from './dashboard-watchers.service';
import { ViewStream } from './view-stream';

export interface ViewAsked {
  readonly credential: string;
  readonly reader: Reader;
  /** The view, for whoever reads; throws `not_found` for a reader who may not. */
  readonly look: (reader: Reader) => Promise<Look<unknown>>;
}

@Injectable()
export class ViewStreams {
  constructor(
    private readonly watchers: DashboardWatchers,
    private readonly readers: ReaderService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'METRICS_COLLECT_MS' | 'DASHBOARD_STREAM_LIFE_MS'>,
  ) {}

  /**
   * Destroy it when the client goes. Throws `too_many_streams` (429), `streams_unavailable` (503), `organization_not_active` (403),
   * and as the view does.
   */
  async open({ credential, reader, look }: ViewAsked): Promise<Readable> {
    refuseSuspended(reader);
    const watch = this.watchers.watch(ownerOf(reader), '');
    const closed = () => this.watchers.close(watch);
    try {
      const first = await look(reader);
      const again = async () => {
        const now = await this.readers.identify(credential, READ_PERMISSION);
        refuseSuspended(now);
        return look(now);
      };
      const { METRICS_COLLECT_MS: everyMs, DASHBOARD_STREAM_LIFE_MS: lifeMs } = this.config;
      const events = new ViewStream({ watch, first, everyMs, look: again }).events();
      return eventStream({ events, watch, lifeMs, closed });
    } catch (error) {
      closed();
      throw error;
    }
  }
}

/** As event streams of the api: whoever is suspended reads what was, and follows nothing. */
function refuseSuspended(reader: Reader): void {
  if (reader.kind === 'operator') return;
  const { organization } = reader;
  if (organization.state !== 'active' && organization.state !== 'moving') throw organizationSuspended(organization);
}

/** Operators have one token, and are not counted together. */
function ownerOf(reader: Reader): string {
  return reader.kind === 'operator' ? `operator ${newId()}` : reader.organization.id;
}
