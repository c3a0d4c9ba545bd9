/** Logging in, refreshing and logging out. */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { LoginService, Public, SessionService } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { Admit, RateLimit } from '#libs/throttling';
import { RequestId } from '../access/request-id.decorator';
import { LOGIN, REFRESH, TOKENS, tokensBody } from './auth.shape';

@ApiTags('auth')
@Public()
@Admit({ priority: 'interactive' })
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: SessionService,
  ) {}

  @Post('login')
  @RateLimit('auth')
  @HttpCode(200)
  @ApiOperation({ summary: 'Log in with e-mail and password' })
  @ApiResponse({ status: 200, description: 'A new session.', standardSchema: TOKENS })
  @ApiProblems({ 401: '`invalid_credentials`, whatever of it was wrong.', 429: 'Too many attempts.', 503: '`busy`.' })
  async login(@Body({ schema: LOGIN }) body: ShapeType<typeof LOGIN>, @RequestId() requestId: string) {
    return tokensBody(await this.logins.login(body, requestId));
  }

  @Post('refresh')
  @RateLimit('session')
  @HttpCode(200)
  @ApiOperation({ summary: 'Exchange a refresh token for a new access token and the next refresh token' })
  @ApiResponse({ status: 200, description: 'The session goes on.', standardSchema: TOKENS })
  @ApiProblems({
    401: '`invalid_token`, `token_expired`, `token_revoked` or `refresh_token_reused`.',
    429: 'Too many refreshes.',
  })
  async refresh(@Body({ schema: REFRESH }) body: ShapeType<typeof REFRESH>, @RequestId() requestId: string) {
    return tokensBody(await this.sessions.refresh(body.refresh_token, requestId));
  }

  @Post('logout')
  @RateLimit('session')
  @HttpCode(204)
  @ApiOperation({ summary: 'End the session of a refresh token' })
  @ApiResponse({ status: 204, description: 'The session is ended, or there was none.' })
  @ApiProblems({ 429: 'Too many logouts.' })
  async logout(@Body({ schema: REFRESH }) body: ShapeType<typeof REFRESH>, @RequestId() requestId: string) {
    await this.sessions.end(body.refresh_token, requestId);
  }
}
