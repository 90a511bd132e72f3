import {
  type CanActivate,
  type ExecutionContext,
  HttpException,
  HttpStatus,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { findUser } from './demo-users.js';
import { userIdOf } from './session-user.js';

/** Lets signed-in users in. Others are sent to the sign-in page, or answered 401 when they did not ask for a page. */
@Injectable()
export class SignedInGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (findUser(userIdOf(request))) return true;
    if (!request.accepts('html')) throw new UnauthorizedException();
    const back = request.method === 'GET' ? `?returnTo=${encodeURIComponent(request.originalUrl)}` : '';
    context.switchToHttp().getResponse<Response>().setHeader('Location', `/sign-in${back}`);
    throw new HttpException('Sign in first', HttpStatus.SEE_OTHER);
  }
}
