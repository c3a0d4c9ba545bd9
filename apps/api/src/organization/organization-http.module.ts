/** Serves `/v1/me` and `/v1/organization`. */
import { Module } from '@nestjs/common';
import { OrganizationController } from './organization.controller';
import { OwnOrganizationService } from './own-organization.service';

@Module({ controllers: [OrganizationController], providers: [OwnOrganizationService] })
export class OrganizationHttpModule {}
