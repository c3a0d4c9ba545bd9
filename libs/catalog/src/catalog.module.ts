/** Wires the catalog. */
import { Module } from '@nestjs/common';
import { LocationRepository } from './location.repository';
import { LocationService } from './location.service';
import { ProductRepository } from './product.repository';
import { ProductService } from './product.service';

@Module({
  providers: [ProductRepository, ProductService, LocationRepository, LocationService],
  exports: [ProductService, LocationService],
})
export class CatalogModule {}
