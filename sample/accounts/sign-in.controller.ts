import { timingSafeEqual } from 'node:crypto';
import { Body, Controller, Get, HttpStatus, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { SessionSecurityService } from 'nestjs-session-security';
import { type Form, textIn } from '../form.js';
import { Html } from '../pages/html.js';
import { SESSION_COOKIE } from '../session-cookie.js';
import type { SampleSettings } from '../settings.js';
import { type DemoUser, findUser } from './demo-users.js';
import { userIdOf } from './session-user.js';
import { type SignInPage, signInPage } from './sign-in.page.js';

export const SAMPLE_SETTINGS = Symbol('SAMPLE_SETTINGS');

@Controller()
export class SignInController {
  constructor(
    private readonly sessionSecurity: SessionSecurityService,
    @Inject(SAMPLE_SETTINGS) private readonly settings: SampleSettings,
  ) {}

  @Get('sign-in')
  show(@Req() request: Request, @Res() response: Response, @Query() query: Form): void {
    const returnTo = safePath(textIn(query, 'returnTo'));
    if (findUser(userIdOf(request))) return response.redirect(HttpStatus.SEE_OTHER, returnTo);
    const ended = this.sessionSecurity.takeNotice(request, response);
    response.send(this.#page(request, { returnTo, ...(ended && { ended }) }));
  }

  @Post('sign-in')
  async signIn(@Req() request: Request, @Res() response: Response, @Body() form?: Form): Promise<void> {
    const returnTo = safePath(textIn(form, 'returnTo'));
    const user = userWith(textIn(form, 'user'), textIn(form, 'password'));
    if (user === undefined) {
      const page = this.#page(request, { returnTo, refused: textIn(form, 'user') });
      response.status(HttpStatus.UNAUTHORIZED).send(page);
      return;
    }
    await startSession(request, user);
    response.redirect(HttpStatus.SEE_OTHER, returnTo);
  }

  @Post('sign-out')
  async signOut(@Req() request: Request, @Res() response: Response): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      request.session.destroy((error: Error | null | undefined) => (error ? reject(error) : resolve()));
    });
    response.clearCookie(SESSION_COOKIE);
    response.redirect(HttpStatus.SEE_OTHER, '/sign-in');
  }

  #page(request: Request, parts: Pick<SignInPage, 'returnTo' | 'ended' | 'refused'>): string {
    const sessionTag = new Html(this.sessionSecurity.clientTag(request));
    return signInPage({ ...parts, sessionTag, limits: this.settings.limits });
  }
}

function userWith(id: string, password: string): DemoUser | undefined {
  const user = findUser(id);
  return user && isSame(password, user.password) ? user : undefined;
}

function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A session that was there before the sign-in may be known to somebody else, so its id is given up. */
async function startSession(request: Request, user: DemoUser): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request.session.regenerate((error: Error | null | undefined) => (error ? reject(error) : resolve()));
  });
  request.session.userId = user.id;
}

const HERE = 'http://here.invalid';

/** Only a path on this site, read as browsers read it: nobody is sent elsewhere by a prepared link. */
function safePath(path: string): string {
  if (!path.startsWith('/') || !URL.canParse(path, HERE)) return '/patients';
  const { origin, pathname, search, hash } = new URL(path, HERE);
  // What is left of "/.//elsewhere.example" begins with two slashes, and would be read as another site the next time.
  return origin === HERE && !pathname.startsWith('//') ? `${pathname}${search}${hash}` : '/patients';
}
