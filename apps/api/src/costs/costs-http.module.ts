/** Serves what tenants cost: all of them to operators, its own to each where the configuration says so. */
import { Module } from '@nestjs/common';
import { AdminCostsController } from './admin-costs.controller';
import { OwnCostsController } from './own-costs.controller';

@Module({ controllers: [AdminCostsController, OwnCostsController] })
export class CostsHttpModule {}
