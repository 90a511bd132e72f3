import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Req, Sse } from '@nestjs/common';
import { concat, NEVER, of } from 'rxjs';
import { Passive, type SessionSecurityRequest, SessionSecurityService } from '../../lib/index.js';
import { WatchedApp } from '../support/watched-app.js';

@Controller()
class NewsController {
  constructor(private readonly security: SessionSecurityService) {}

  @Passive()
  @Sse('news')
  news(@Req() request: SessionSecurityRequest) {
    return concat(of({ data: 'welcome' }), NEVER).pipe(this.security.whileSessionLives(request));
  }
}

let desk: WatchedApp;
afterEach(() => desk.close());

describe('V4 a stream of server-sent events', () => {
  it('V4 goes on for as long as the session lives, then completes', async () => {
    desk = await WatchedApp.start({ controllers: [NewsController] });
    const browser = await desk.signedIn();
    const { port } = desk.app.getHttpServer().address() as AddressInfo;
    const [stream] = (await once(
      get({ port, path: '/news', headers: { cookie: browser.cookieHeader } }),
      'response',
    )) as [IncomingMessage];
    const heard = text(stream);
    await desk.clock.advance(9);
    expect(stream.readableEnded).toBe(false);
    await desk.clock.advance(1);
    expect(await heard).toContain('data: welcome');
    expect(desk.log.of('expire')).toHaveLength(1);
  });

  it('V4 completes at once, without a word, when nobody is signed in', async () => {
    desk = await WatchedApp.start({ controllers: [NewsController] });
    const late = await desk.signedIn();
    await desk.clock.advance(11);
    for (const browser of [desk.browser(), late]) {
      const { text: heard } = await browser.get('/news').expect(200);
      expect(heard.trim()).toBe('');
    }
  });
});
