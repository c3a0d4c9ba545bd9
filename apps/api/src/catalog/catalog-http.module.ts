/** HTTP side of the catalog. */
import { Module } from '@nestjs/common';
import { CatalogModule } from '#libs/catalog';
import { LocationsController } from './locations.controller';
import { ProductsController } from './products.controller';

@Module({ imports: [CatalogModule], controllers: [ProductsController, LocationsController] })
export class CatalogHttpModule {}
