import { promisify } from 'node:util';
import { Controller, type ExecutionContext, Get, Injectable, Post, Req, UseGuards } from '@nestjs/common';
import { AuthGuard, PassportSerializer, PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { AllowExpired } from 'nestjs-session-security';
import { Strategy } from 'passport-local';

export interface Account {
  readonly id: string;
}

/** Your own. */
export abstract class Accounts {
  abstract verify(name: string, password: string): Promise<Account | false>;
  abstract find(id: string): Promise<Account | false>;
}

@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly accounts: Accounts) {
    super();
  }

  validate(name: string, password: string) {
    return this.accounts.verify(name, password);
  }
}

/** The session holds the id alone; whoever is blocked or gone is nobody at the next request. */
@Injectable()
export class AccountSerializer extends PassportSerializer {
  constructor(private readonly accounts: Accounts) {
    super();
  }

  serializeUser(account: Account, done: (error: unknown, id: string) => void) {
    done(null, account.id);
  }

  deserializeUser(id: string, done: (error: unknown, account?: Account | false) => void) {
    this.accounts.find(id).then((account) => done(null, account), done);
  }
}

@Injectable()
export class SignInGuard extends AuthGuard('local') {
  override async canActivate(context: ExecutionContext) {
    await super.canActivate(context);
    await super.logIn(context.switchToHttp().getRequest<Request>());
    return true;
  }
}

@Controller('account')
export class AccountController {
  @AllowExpired()
  @UseGuards(SignInGuard)
  @Post('sign-in')
  signIn(@Req() { user }: Request) {
    return user;
  }

  @Post('sign-out')
  async signOut(@Req() request: Request) {
    await promisify<void>((done) => request.logOut(done))();
  }

  @Get()
  show(@Req() request: Request) {
    return { signedIn: request.isAuthenticated(), user: request.user };
  }
}
