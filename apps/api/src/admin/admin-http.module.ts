/** Serves `/v1/admin/…`. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { CatalogModule } from '#libs/catalog';
import { IdentityModule } from '#libs/identity';
import { OrganizationsModule } from '#libs/organizations';
import { AdminOrganizationsController } from './admin-organizations.controller';
import { AdminShardsController } from './admin-shards.controller';
import { ProvisioningService } from './provisioning.service';

@Module({
  imports: [AuditModule, CatalogModule, IdentityModule, OrganizationsModule],
  controllers: [AdminOrganizationsController, AdminShardsController],
  providers: [ProvisioningService],
})
export class AdminHttpModule {}
