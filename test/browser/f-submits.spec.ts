import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FormPage, FormsDesk, FormsDeskOptions, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';
import { eventually } from '../support/real-time.js';

const NOTE = 'Mrs Lindqvist was moved to ward seven';
/** With names by which a form would say something of itself; what is disabled is not sent. */
const field = `<textarea name="text"></textarea><button name="action" value="publish">Save</button>
  ${['method', 'target', 'elements'].map((name) => `<input name="${name}" disabled>`).join('')}`;
const pages: Record<string, FormPage> = {
  draft: { body: `<form method="post" action="/save" data-session-draft>${field}</form>` },
  guard: { body: `<form method="post" action="/save" data-session-guard>${field}</form>` },
  plain: { body: `<form method="post" action="/save">${field}</form>` },
};

const enter = formsStage({ pages });
let desk: FormsDesk;
let visitor: Visitor;
let page: Page;

async function open(path: string, security?: FormsDeskOptions['security']): Promise<void> {
  ({ desk, visitor, page } = await enter(security));
  await visitor.open(path);
}

describe('F5 a form that is sent', () => {
  test.each(['draft', 'guard'])('in a living session arrives, with its button (%s)', async (name) => {
    await open(`/page/${name}`);
    await page.fill('textarea', NOTE);
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toEqual([{ text: NOTE, action: 'publish' }]);
  });

  test('and pressed twice arrives once', async () => {
    await open('/page/draft');
    await page.fill('textarea', NOTE);
    await page.dblclick('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toHaveLength(1);
  });

  test('reaches the listeners of the application only once', async () => {
    await open('/page/draft');
    await page.evaluate(() => {
      const { dataset } = document.documentElement;
      document.querySelector('form')!.addEventListener('submit', (event) => {
        event.preventDefault();
        dataset['submits'] = `${dataset['submits'] ?? ''}${event.submitter?.getAttribute('value')} `;
      });
    });
    await page.click('button');
    await page.waitForFunction(() => document.documentElement.dataset['submits']);
    expect(await page.getAttribute('html', 'data-submits')).toBe('publish ');
  });

  test('after the session ended unseen is held: nothing is sent, and the work is back after signing in', async () => {
    await open('/page/draft');
    await page.fill('textarea', NOTE);
    desk.expireAll();
    await page.click('button');
    expect(await visitor.hears('held')).toEqual({ state: 'held', reason: 'signed-out' });
    await page.waitForURL('**/lobby*');
    expect(desk.saved).toEqual([]);

    await visitor.signIn();
    await visitor.open('/page/draft');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toEqual([{ text: NOTE, action: 'publish' }]);
  });

  test.each(['draft', 'guard'])(
    'while another user has signed in is held, and nothing is sent in their name (%s)',
    async (name) => {
      await open('/lobby');
      const told = page.waitForResponse('**/session-security/ping?start=1&drafts=1*');
      await visitor.open(`/page/${name}`);
      await page.fill('textarea', NOTE);
      await (await told).finished();
      await visitor.context.request.get('/enter?user=ben');
      await page.click('button');
      await visitor.hears('held');
      expect(desk.saved).toEqual([]);
    },
  );

  test.each(['draft', 'guard'])(
    'while the server, started again, gives other keys, arrives: it is the same person (%s)',
    async (name) => {
      await open('/lobby');
      const asking = '**/session-security/ping?start=1&drafts=1*';
      const told = page.waitForResponse(asking);
      await visitor.open(`/page/${name}`);
      await page.fill('textarea', NOTE);
      await (await told).finished();
      await page.route(asking, async (route) => {
        const response = await route.fetch();
        const answer = (await response.json()) as { drafts: { key: string } };
        answer.drafts.key = 'A'.repeat(43);
        await route.fulfill({ response, json: answer });
      });
      await page.click('button');
      await page.waitForURL('**/lobby');
      expect(desk.saved).toHaveLength(1);
      expect(visitor.news).not.toContainEqual(expect.objectContaining({ state: 'held' }));
    },
  );

  test.each(['draft', 'guard'])('in a page for nobody, such as a sign-in, arrives (%s)', async (name) => {
    await open('/lobby');
    await visitor.context.clearCookies();
    await visitor.open(`/page/${name}`);
    await page.fill('textarea', NOTE);
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toHaveLength(1);
    expect(visitor.news).toEqual([]);
  });

  test('while the server cannot be reached stays in the page, which says so, and can be sent again', async () => {
    await open('/page/draft');
    await visitor.types('textarea', NOTE);
    await page.route('**/session-security/ping*', (route) => route.abort());
    await page.click('button');
    expect(await visitor.hears('held')).toEqual({ state: 'held', reason: 'unreachable' });
    await visitor.bar().getByRole('alert').getByText('could not be reached').waitFor();
    expect(await page.inputValue('textarea')).toBe(NOTE);

    await page.unroute('**/session-security/ping*');
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toHaveLength(1);
  });

  test('in a page that stays after the end is held, and arrives after signing in again in another tab', async () => {
    await open('/page/draft', { client: { onExpire: 'event' } });
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await visitor.asks();
    await page.waitForFunction(() => sessionSecurity!.phase() === 'expired');
    // What is typed now is kept too.
    await visitor.types('textarea', `${NOTE}, room 3`);
    await page.click('button');
    await visitor.bar().getByRole('alert').getByText('You are signed out').waitFor();
    expect(await page.inputValue('textarea')).toBe(`${NOTE}, room 3`);
    expect(desk.saved).toEqual([]);

    await visitor.context.request.get('/enter?user=anna');
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toHaveLength(1);
  });

  test('by a script after the end gets 401 and keeps its content', async () => {
    await open('/page/draft', { onExpired: 'reject' });
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    const answer = await page.evaluate(async () => {
      const text = document.querySelector('textarea')!.value;
      const response = await fetch('/save', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ text }),
      });
      return { status: response.status, type: response.headers.get('Content-Type') };
    });
    expect(answer.status).toBe(401);
    expect(answer.type).toMatch('application/problem+json');
    expect(await page.inputValue('textarea')).toBe(NOTE);
    expect(desk.saved).toEqual([]);
  });
});

describe('F5 what the browser shows of a form that nobody looks after, sent after the end', () => {
  test('onExpired "redirect": the sign-in page, by GET', async () => {
    await open('/page/plain', { onExpired: 'redirect' });
    await page.fill('textarea', NOTE);
    desk.expireAll();
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(await page.textContent('h1')).toBe('Lobby');
    expect(desk.saved).toEqual([]);
  });

  test('onExpired "reject": the problem as text; Back leads to the form', async () => {
    await open('/page/plain', { onExpired: 'reject' });
    await page.fill('textarea', NOTE);
    desk.expireAll();
    const answered = page.waitForResponse('**/save');
    await page.click('button');
    expect((await answered).status()).toBe(401);
    await eventually(
      'the problem',
      async () => (await page.textContent('body'))?.includes('session_expired'),
      15_000,
    );
    expect(desk.saved).toEqual([]);
  });
});
