/** HTTP side of connections. */
import { Module } from '@nestjs/common';
import { ConnectionsModule } from '#libs/connections';
import { ConnectionsController } from './connections.controller';

@Module({ imports: [ConnectionsModule], controllers: [ConnectionsController] })
export class ConnectionsHttpModule {}
