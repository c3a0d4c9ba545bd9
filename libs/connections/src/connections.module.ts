/** Connections. The api takes ConnectionsModule, the worker ConnectionsWorkerModule; both register CONNECTION_JOBS with the queues. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { OutboundModule } from '#libs/outbound';
import { ConnectionRepository } from './connection.repository';
import { ConnectionService } from './connection.service';
import { ResealTask } from './credentials/reseal.task';
import { SealedCredentials } from './credentials/sealed-credentials.service';
import { FeedClient } from './sync/feed-client';
import { SyncMetrics } from './sync/sync-metrics';
import { SyncHandler } from './sync/sync.handler';
import { SyncService } from './sync/sync.service';

@Module({
  imports: [AuditModule, OutboundModule],
  providers: [ConnectionRepository, SealedCredentials, ConnectionService, SyncService],
  exports: [ConnectionService, SyncService],
})
export class ConnectionsModule {}

@Module({
  imports: [OutboundModule],
  providers: [ConnectionRepository, SealedCredentials, FeedClient, SyncMetrics, SyncHandler, ResealTask],
})
export class ConnectionsWorkerModule {}
