/** /v1/products */
import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CREATE_PRODUCT, PRODUCT, type Product, ProductService, UPDATE_PRODUCT } from '#libs/catalog';
import { ApiProblems, IfMatch, page, type Page } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const ID = shape(Fields.id());
const QUERY = shape(closed({ ...PageQuery, sku: Type.Optional(Fields.sku()) }), { text: true });
const PAGE = shape(pageOf(PRODUCT.schema));

@ApiTags('catalog')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/products')
export class ProductsController {
  constructor(private readonly products: ProductService) {}

  @Post()
  @ApiOperation({ summary: 'Create a product' })
  @RequirePermission('catalog:write')
  @ApiResponse({ status: 201, standardSchema: PRODUCT })
  @ApiProblems({ 409: '`sku_taken`.' })
  create(@Body({ schema: CREATE_PRODUCT }) body: ShapeType<typeof CREATE_PRODUCT>): Promise<Product> {
    return this.products.create(body);
  }

  @Get()
  @ApiOperation({ summary: 'List products' })
  @RequirePermission('catalog:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: QUERY }) query: ShapeType<typeof QUERY>): Promise<Page<Product>> {
    return page(await this.products.list(query), query.limit, (product) => [product.id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a product' })
  @RequirePermission('catalog:read')
  @ApiResponse({ status: 200, standardSchema: PRODUCT })
  get(@Param('id', { schema: ID }) id: string): Promise<Product> {
    return this.products.get(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a product' })
  @RequirePermission('catalog:write')
  @ApiResponse({ status: 200, standardSchema: PRODUCT })
  @ApiProblems({ 409: '`sku_taken`.', 412: 'If-Match names another version.' })
  update(
    @Param('id', { schema: ID }) id: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: UPDATE_PRODUCT }) body: ShapeType<typeof UPDATE_PRODUCT>,
  ): Promise<Product> {
    return this.products.update(id, version, body);
  }
}
