import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { signedInUser } from './session-user.js';

/** Lets administrators in; to be used after `SignedInGuard`. */
@Injectable()
export class AdministratorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return signedInUser(context.switchToHttp().getRequest<Request>()).isAdministrator;
  }
}
