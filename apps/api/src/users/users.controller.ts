/** The users of the caller's organization. */
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IfMatch, page } from '#libs/http';
import { RequirePermission, UserCreation, UserService } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import { CREATE_USER, UPDATE_USER, USER, USER_PAGE, USER_QUERY, userBody } from './user.shape';

const ID = shape(Fields.id());

@ApiTags('users')
@ApiBearerAuth()
@Controller('v1/users')
export class UsersController {
  constructor(
    private readonly creation: UserCreation,
    private readonly users: UserService,
  ) {}

  @Post()
  @RequirePermission('users:write')
  @ApiOperation({ summary: 'Add a user' })
  @ApiResponse({ status: 201, description: 'The new user.', standardSchema: USER })
  @ApiProblems({ 403: '`limit_exceeded` (max_users) or `permission_denied`.', 409: '`email_taken`.' })
  async create(@Body({ schema: CREATE_USER }) body: ShapeType<typeof CREATE_USER>) {
    return userBody(await this.creation.create(body));
  }

  @Get()
  @RequirePermission('users:read')
  @ApiOperation({ summary: 'List users, oldest first' })
  @ApiResponse({ status: 200, description: 'A page of users.', standardSchema: USER_PAGE })
  async list(@Query({ schema: USER_QUERY }) query: ShapeType<typeof USER_QUERY>) {
    return page((await this.users.list(query)).map(userBody), query.limit, (user) => [user.id]);
  }

  @Get(':id')
  @RequirePermission('users:read')
  @ApiOperation({ summary: 'Read a user' })
  @ApiResponse({ status: 200, description: 'The user.', standardSchema: USER })
  @ApiProblems({ 404: '`not_found`.' })
  async get(@Param('id', { schema: ID }) id: string) {
    return userBody(await this.users.get(id));
  }

  @Patch(':id')
  @RequirePermission('users:write')
  @ApiOperation({ summary: 'Change name, role, state or password; send If-Match with the ETag that was read' })
  @ApiResponse({ status: 200, description: 'The user as it is now.', standardSchema: USER })
  @ApiProblems({ 404: '`not_found`.', 409: '`last_owner`.', 412: '`version_mismatch`.' })
  async update(
    @Param('id', { schema: ID }) id: string,
    @Body({ schema: UPDATE_USER }) patch: ShapeType<typeof UPDATE_USER>,
    @IfMatch() expectedVersion: number | undefined,
  ) {
    return userBody(await this.users.update({ id, patch, expectedVersion }));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('users:write')
  @ApiOperation({ summary: 'Delete a user with all sessions' })
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiProblems({ 404: '`not_found`.', 409: '`last_owner`.', 412: '`version_mismatch`.' })
  async remove(@Param('id', { schema: ID }) id: string, @IfMatch() expectedVersion: number | undefined) {
    await this.users.remove(id, expectedVersion);
  }
}
