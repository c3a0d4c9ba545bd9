/** Serves `/v1/admin/…`: organizations, the operations on them, their dead letters, and shards. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { CatalogModule } from '#libs/catalog';
import { IdentityModule } from '#libs/identity';
import { ReconcileModule } from '#libs/inventory';
import { LifecycleModule } from '#libs/lifecycle';
import { OrganizationsModule } from '#libs/organizations';
import { streamBodyParser } from '../upload/stream-upload';
import { AuditedLettersModule } from '../dead-letters/audited-letters.module';
import { AdminDeadLettersController } from './admin-dead-letters.controller';
import { AdminOperationsController } from './admin-operations.controller';
import { AdminOrganizationsController } from './admin-organizations.controller';
import { AdminShardsController } from './admin-shards.controller';
import { AdminStockController } from './admin-stock.controller';
import { ARCHIVE_TYPE } from './operation.shape';
import { OperatorScope } from './operator-scope.service';
import { ProvisioningService } from './provisioning.service';

@Module({
  imports: [
    AuditedLettersModule,
    AuditModule,
    CatalogModule,
    IdentityModule,
    LifecycleModule,
    OrganizationsModule,
    ReconcileModule,
  ],
  controllers: [
    AdminOrganizationsController,
    AdminOperationsController,
    AdminShardsController,
    AdminDeadLettersController,
    AdminStockController,
  ],
  providers: [
    OperatorScope,
    ProvisioningService,
    streamBodyParser({ contentType: ARCHIVE_TYPE, route: '/v1/admin/imports' }),
  ],
})
export class AdminHttpModule {}
