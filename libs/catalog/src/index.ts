/** Catalog: products and locations. */
export { CatalogModule } from './catalog.module';
export { CREATE_LOCATION, LOCATION, type Location, UPDATE_LOCATION } from './location.schema';
export { LocationService } from './location.service';
export { CREATE_PRODUCT, PRODUCT, type Product, UPDATE_PRODUCT } from './product.schema';
export { ProductService } from './product.service';
export { type ProductUpsert, productUpsertStatement } from './product-upsert.statement';
