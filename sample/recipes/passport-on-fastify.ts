import { Authenticator } from '@fastify/passport';
import { Body, Controller, Get, Post, Req, UnauthorizedException } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { AllowExpired } from 'nestjs-session-security';

export interface Account {
  readonly id: string;
}

/** Your own. */
export abstract class Accounts {
  abstract verify(name: string, password: string): Promise<Account | undefined>;
  abstract find(id: string): Promise<Account | undefined>;
}

/** After `@fastify/session`. */
export async function usePassport(app: NestFastifyApplication) {
  const accounts = app.get(Accounts);
  const passport = new Authenticator();
  passport.registerUserSerializer((account: Account) => Promise.resolve(account.id));
  passport.registerUserDeserializer(async (id: string) => (await accounts.find(id)) ?? false);
  await app.register(passport.initialize());
  await app.register(passport.secureSession());
}

@Controller('account')
export class AccountController {
  constructor(private readonly accounts: Accounts) {}

  @AllowExpired()
  @Post('sign-in')
  async signIn(@Req() request: FastifyRequest, @Body() form: { username: string; password: string }) {
    const account = await this.accounts.verify(form.username, form.password);
    if (!account) throw new UnauthorizedException();
    await request.logIn(account);
    return account;
  }

  @Post('sign-out')
  async signOut(@Req() request: FastifyRequest) {
    await request.logOut();
  }

  @Get()
  show(@Req() request: FastifyRequest) {
    return { signedIn: request.isAuthenticated(), user: request.user };
  }
}
