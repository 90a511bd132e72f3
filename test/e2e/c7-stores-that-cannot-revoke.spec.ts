import { afterEach, expect, it } from '@jest/globals';
import cookieSession from 'cookie-session';
import { WatchedApp } from '../support/watched-app.js';

let desk: WatchedApp;
afterEach(() => desk.close());

it('C7 sessions that live in the cookie are refused, and the message says what to use', async () => {
  desk = await WatchedApp.start({
    configure: (app) => void app.use(cookieSession({ name: 'session', secret: 'for tests only' })),
  });
  await desk.browser().get('/whoami').expect(500);
  await desk.browser().post('/login', { user: 'anna', regenerate: false }).expect(500);
  const messages = desk.messages.matching(/cookie itself \(cookie-session\)/);
  expect(messages).not.toEqual([]);
  expect(messages[0]).toMatch(
    /the server cannot end one\. Use express-session with a store on the server\.$/,
  );
});
