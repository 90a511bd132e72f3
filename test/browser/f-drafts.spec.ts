import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FormPage, FormsDesk, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';
import { eventually } from '../support/real-time.js';

const NOTE = 'Mrs Lindqvist was moved to ward seven';
const note = '<textarea name="text"></textarea><button>Save</button>';
const pages: Record<string, FormPage> = {
  note: { body: `<form id="note" method="post" action="/save" data-session-draft>${note}</form>` },
  other: { body: `<form id="note" method="post" action="/save" data-session-draft>${note}</form>` },
  automatic: { body: `<form method="post" action="/save" data-session-draft="automatic">${note}</form>` },
  unasked: { tag: { guard: true }, body: `<form method="post" action="/save">${note}</form>` },
  everywhere: {
    tag: { drafts: true },
    body: `${note}<form id="search" method="get"><input name="search"></form>
      <div data-session-draft="off"><input name="out"></div>`,
  },
  kinds: {
    tag: { drafts: true },
    body: `<form id="kinds" method="post" action="/save">
      <input name="plain"><input name="search" type="search"><input name="mail" type="email">
      <input name="telephone" type="tel"><input name="address" type="url"><input name="number" type="number">
      <input name="date" type="date"><input name="time" type="time"><input name="moment" type="datetime-local">
      <input name="month" type="month"><input name="week" type="week">
      <input name="colour" type="color"><input name="range" type="range">
      <textarea name="long"></textarea><input name="same"><input name="same"><input id="nameless">
      <select name="one"><option>a</option><option>b</option></select>
      <select name="many" multiple><option>a</option><option>b</option><option>c</option></select>
      <input name="yes" type="checkbox" value="1"><input name="no" type="checkbox" value="1" checked>
      <input name="way" type="radio" value="left" checked><input name="way" type="radio" value="right">
      <div id="rich" contenteditable="true"><p>Old</p></div>
      </form><input name="associated" form="kinds">`,
  },
  secrets: {
    tag: { drafts: true },
    body: `<form method="post" action="/save">
      <input name="kept">
      <input name="a" type="password"><input name="b" autocomplete="cc-number">
      <input name="c" autocomplete="billing cc-csc"><input name="d" autocomplete="off">
      <input name="e" autocomplete="one-time-code"><input name="f" autocomplete="new-password">
      <input name="g" data-no-draft><div data-no-draft><input name="h"></div>
      <input name="i" type="password" id="shown"><input name="j" style="-webkit-text-security: disc">
      <input name="k" type="hidden">
      </form><form autocomplete="off"><input name="l"></form>`,
  },
};

const enter = formsStage({ pages });
let desk: FormsDesk;
let visitor: Visitor;
let page: Page;

/** Somebody has signed in and opened a page. */
async function open(path: string): Promise<void> {
  ({ desk, visitor, page } = await enter());
  await visitor.open(path);
}

/** The session runs out, and somebody signs in and goes to a page. */
async function expireAndReturn(path: string, user = 'anna'): Promise<void> {
  desk.expireAll();
  await visitor.comesBack(path, user);
}

const textOf = (selector = 'textarea') => page.inputValue(selector);

describe('F4 the way back', () => {
  test('what was typed is offered to the same user on the same page after signing in again, and put back', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/note');

    await visitor.hears('found');
    expect(await textOf()).toBe('');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');
    expect(await textOf()).toBe(NOTE);
    // What was put back is work again: it survives the next expiry too.
    await expireAndReturn('/page/note');
    await visitor.button('Put it back').click();
    expect(await textOf()).toBe(NOTE);
  });

  test('by the way back that the sign-in page was given, path and query', async () => {
    await open('/page/note?patient=7');
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await visitor.findsItsEnd();
    const back = new URL(page.url()).searchParams.get('returnTo')!;
    expect(back).toBe('/page/note?patient=7');
    await visitor.signIn();
    await visitor.open('/page/note?patient=8');
    await visitor.open(back);
    await visitor.hears('found');
  });

  test('a discarded draft is gone', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/note');
    await visitor.button('Discard it').click();
    await visitor.hears('discarded');
    expect(await visitor.drafts()).toBe(0);
    expect(await visitor.bar().count()).toBe(0);
    expect(await textOf()).toBe('');
  });

  test('where the page asks for it, it is put back without a question', async () => {
    await open('/page/automatic');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/automatic');
    await visitor.hears('restored');
    expect(await textOf()).toBe(NOTE);
    await visitor.button('Close').click();
    expect(await visitor.bar().count()).toBe(0);
  });

  test('what is typed last, when the end is found at once, is kept too', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await page.focus('textarea');
    await page.keyboard.press('End');
    await page.keyboard.insertText(', room 3');
    await visitor.comesBack('/page/note');
    await visitor.button('Put it back').click();
    expect(await textOf()).toBe(`${NOTE}, room 3`);
  });

  test('what is typed before the script has come is kept too', async () => {
    await open('/lobby');
    let come = (): void => {};
    const held = new Promise<void>((resolve) => (come = resolve));
    await page.route('**/client/drafts.js', async (route) => {
      await held;
      await route.continue();
    });
    await page.goto('/page/note');
    await page.fill('textarea', NOTE);
    come();
    await visitor.hears('kept');
  });

  test('a hidden page keeps at once what is in it', async () => {
    await open('/page/note');
    await visitor.types('textarea', 'First');
    await page.fill('textarea', NOTE);
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { get: () => true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await visitor.hears('kept', 2);
    await expireAndReturn('/page/note');
    await visitor.button('Put it back').click();
    expect(await textOf()).toBe(NOTE);
  });

  test('nothing is offered on another page, in the session in which it was typed, or where nothing was typed', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    const second = await visitor.context.newPage();
    await second.goto('/page/note');
    await second.waitForFunction(() => globalThis.sessionSecurity?.forms);
    await second.close();
    await expireAndReturn('/page/other');
    await page.waitForLoadState('networkidle');
    expect(visitor.news).toEqual([]);
    await visitor.open('/page/note');
    await visitor.hears('found');
  });

  test('a page that only guards keeps nothing', async () => {
    await open('/page/unasked');
    await page.fill('textarea', NOTE);
    await page.waitForLoadState('networkidle');
    expect(await visitor.drafts()).toBe(0);
    expect(visitor.news).toEqual([]);
  });

  test('where the whole page is kept, fields without a form are, searches and parts that opt out are not', async () => {
    await open('/page/everywhere');
    await page.fill('[name=search]', 'Searching');
    await page.fill('[name=out]', 'Opting out');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/everywhere');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');
    expect([await textOf(), await textOf('[name=search]'), await textOf('[name=out]')]).toEqual([
      NOTE,
      '',
      '',
    ]);
  });
});

describe('F4 when work is done', () => {
  test('a form that was sent leaves no draft', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(desk.saved).toMatchObject([{ text: NOTE }]);
    await visitor.open('/page/other');
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
  });

  test('a page that is left while the session lives leaves no draft', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await visitor.open('/page/other');
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
  });

  test('markClean(form) drops its draft', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    expect(await visitor.drafts()).toBe(1);
    await page.evaluate(() => sessionSecurity!.forms!.markClean(document.forms[0]));
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
  });
});

describe('F4 fields of every kind', () => {
  const TEXTS: Record<string, string> = {
    plain: 'plain ünïcode 🙂',
    search: 'searched',
    mail: 'a@example.org',
    telephone: '0123',
    address: 'https://example.org/',
    number: '12.5',
    date: '2026-03-01',
    time: '12:34',
    moment: '2026-03-01T12:34',
    month: '2026-03',
    week: '2026-W09',
    colour: '#ff8800',
    range: '73',
    long: 'two\nlines',
    associated: 'outside of its form',
  };

  test('are put back, with the events that a person would make', async () => {
    await open('/page/kinds');
    for (const [name, text] of Object.entries(TEXTS)) await page.fill(`[name=${name}]`, text);
    await page.locator('[name=same]').last().fill('the second');
    await page.fill('#nameless', 'no name');
    await page.selectOption('[name=one]', 'b');
    await page.selectOption('[name=many]', ['a', 'c']);
    await page.check('[name=yes]');
    await page.uncheck('[name=no]');
    await page.check('[value=right]');
    await page.locator('#rich').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Control+B');
    await page.keyboard.insertText('Bold');
    await page.keyboard.press('Enter');
    await page.keyboard.insertText('<b>typed</b>');
    const rich = await page.innerHTML('#rich');
    expect(rich).toContain('<b>');
    await visitor.hears('kept');
    await expireAndReturn('/page/kinds');
    await visitor.hears('found');
    await page.evaluate(() => {
      for (const type of ['input', 'change'])
        addEventListener(type, ({ target }) => {
          const { dataset } = target as HTMLElement;
          dataset['events'] = `${dataset['events'] ?? ''}${type} `;
        });
    });
    await visitor.button('Put it back').click();
    await visitor.hears('restored');

    const restored = Object.fromEntries(
      await Promise.all(Object.keys(TEXTS).map(async (name) => [name, await textOf(`[name=${name}]`)])),
    );
    expect(restored).toEqual(TEXTS);
    expect(await textOf('[name=same] >> nth=0')).toBe('');
    expect(await textOf('[name=same] >> nth=1')).toBe('the second');
    expect(await textOf('#nameless')).toBe('no name');
    expect(await textOf('[name=one]')).toBe('b');
    const many = await page.$eval('[name=many]', (select) =>
      [...(select as HTMLSelectElement).selectedOptions].map(({ value }) => value),
    );
    expect(many).toEqual(['a', 'c']);
    expect(await page.isChecked('[name=yes]')).toBe(true);
    expect(await page.isChecked('[name=no]')).toBe(false);
    expect(await page.isChecked('[value=right]')).toBe(true);
    expect(await page.innerHTML('#rich')).toBe(rich);
    for (const selector of [
      '[name=plain]',
      '[name=date]',
      '[name=many]',
      '[name=yes]',
      '[value=right]',
      '#rich',
    ])
      expect(await page.getAttribute(selector, 'data-events')).toBe('input change ');
  });

  test('what runs is never put into rich text', async () => {
    await open('/page/kinds');
    await page.locator('#rich').click();
    await page.keyboard.insertText('x');
    await page.evaluate(() => {
      const rich = document.querySelector('#rich')!;
      rich.innerHTML =
        '<p onclick="alert(1)">Text <a href="javascript:alert(1)">bad</a> <a href="https://example.org/">good</a></p><img src=x onerror="window.ran=1"><script>window.ran=1</script>';
      rich.dispatchEvent(new InputEvent('input', { bubbles: true }));
    });
    await visitor.hears('kept');
    await expireAndReturn('/page/kinds');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');
    expect(await page.innerHTML('#rich')).toBe(
      '<p>Text <a>bad</a> <a href="https://example.org/">good</a></p>window.ran=1',
    );
  });
});

describe('F4 secrets', () => {
  test('passwords, payment, one-time codes, hidden fields and what opts out are never kept', async () => {
    await open('/page/secrets');
    const secrets = [...'abcdefghijl'].map((name) => ({ name, text: `secret-of-${name}` }));
    for (const { name, text } of secrets) await page.fill(`[name=${name}]`, text);
    await page.evaluate(() => {
      // "Show the password": it was one when the page was loaded.
      document.querySelector<HTMLInputElement>('#shown')!.type = 'text';
      const hidden = document.querySelector<HTMLInputElement>('[name=k]')!;
      hidden.value = 'secret-of-k';
      hidden.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await page.fill('#shown', 'secret-of-i');
    await visitor.types('[name=kept]', NOTE);
    await expireAndReturn('/page/secrets');
    await visitor.button('Put it back').click();
    await visitor.hears('restored');

    expect(await textOf('[name=kept]')).toBe(NOTE);
    for (const name of 'abcdefghijkl') expect([name, await textOf(`[name=${name}]`)]).toEqual([name, '']);
  });
});

describe('F4 nobody else', () => {
  test('nothing at rest can be read: neither text nor page nor user nor key', async () => {
    await open('/page/note?patient=7');
    const answer = await visitor.context.request.get('/session-security/ping?drafts=1');
    const { drafts } = (await answer.json()) as { drafts: { key: string } };
    await visitor.types('textarea', NOTE);
    expect(await visitor.drafts()).toBe(1);

    const rest = await visitor.rest();
    expect(rest).toContain('session-security-drafts');
    for (const secret of [NOTE, 'Lindqvist', 'textarea', 'patient', '/page', 'anna', drafts.key])
      expect(rest).not.toContain(secret);
    // As UTF-16 too, and the key as bytes.
    expect(rest).not.toContain([...'Lindqvist'].join('\0'));
    expect(rest).not.toContain(Buffer.from(drafts.key, 'base64url').toString('latin1'));
  });

  test('its length tells little of what was typed', async () => {
    await open('/page/note');
    const lengthOf = () =>
      page.evaluate(async () => {
        const opening = indexedDB.open('session-security-drafts');
        await new Promise((resolve) => (opening.onsuccess = resolve));
        const all = opening.result.transaction('drafts').objectStore('drafts').getAll();
        await new Promise((resolve) => (all.onsuccess = resolve));
        opening.result.close();
        return Math.max(
          ...(all.result as { content: ArrayBuffer }[]).map(({ content }) => content.byteLength),
        );
      });
    await visitor.types('textarea', 'a');
    const short = await lengthOf();
    await visitor.types('textarea', NOTE.repeat(5));
    expect(await lengthOf()).toBe(short);
  });

  test('another user is offered nothing, finds nothing, and harms nothing', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/note', 'ben');
    await visitor.types('textarea', 'Ben was here');
    expect(visitor.news.map(({ state }) => state)).not.toContain('found');
    expect(await visitor.bar().count()).toBe(0);
    expect(await visitor.rest()).not.toContain('Lindqvist');
    await expireAndReturn('/page/note', 'anna');
    await visitor.button('Put it back').click();
    expect(await textOf()).toBe(NOTE);
  });

  test('a draft that was tampered with, moved or prolonged is wiped without a word', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await visitor.findsItsEnd();
    await page.evaluate(async () => {
      const opening = indexedDB.open('session-security-drafts');
      await new Promise((resolve) => (opening.onsuccess = resolve));
      const store = opening.result.transaction('drafts', 'readwrite').objectStore('drafts');
      const all = store.getAll();
      await new Promise((resolve) => (all.onsuccess = resolve));
      for (const draft of all.result as { expiresAt: number }[])
        store.put({ ...draft, expiresAt: draft.expiresAt - 1 });
      opening.result.close();
    });
    visitor.news.length = 0;
    await visitor.signIn();
    await visitor.open('/page/note');
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
    expect(visitor.news).toEqual([]);
  });
});

describe('F4 an hour at most', () => {
  test('a draft of less than an hour is offered, one of an hour is wiped and not offered', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await visitor.findsItsEnd();
    visitor.news.length = 0;
    await visitor.signIn();
    await page.clock.fastForward(3_590_000);
    await visitor.open('/page/note');
    await visitor.hears('found');
    // The page stays open: the draft is wiped when its hour is over, not when somebody comes.
    await page.clock.fastForward(11_000);
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
    visitor.news.length = 0;
    await visitor.open('/page/note');
    await page.waitForLoadState('networkidle');
    expect(visitor.news).toEqual([]);
  });

  test("another user's page wipes it too", async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await visitor.findsItsEnd();
    await page.clock.fastForward(3_601_000);
    await visitor.signIn('ben');
    await visitor.open('/page/note');
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
  });
});

describe('F4 signing out', () => {
  test("by the dialog's means wipes all drafts of the user in this browser", async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/other');
    await visitor.types('textarea', NOTE);
    expect(await visitor.drafts()).toBe(2);
    await page.evaluate(() => void sessionSecurity!.signOut());
    await page.waitForURL('**/lobby');
    await eventually('the drafts gone', async () => (await visitor.drafts()) === 0, 15_000);
    await visitor.signIn();
    await visitor.open('/page/note');
    await page.waitForLoadState('networkidle');
    expect(visitor.news.map(({ state }) => state)).not.toContain('found');
  });

  test('in another tab wipes them', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await visitor.context.request.post('/leave');
    await visitor.findsItsEnd();
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
  });

  test('on a page that does not know of drafts wipes them when the user is back', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    await expireAndReturn('/page/other');
    await page.waitForLoadState('networkidle');
    expect(await visitor.drafts()).toBe(1);
    await visitor.open('/lobby');
    await visitor.context.request.post('/leave');
    await visitor.signIn();
    await visitor.open('/page/note');
    await eventually('the draft gone', async () => (await visitor.drafts()) === 0, 15_000);
    expect(visitor.news.map(({ state }) => state)).not.toContain('found');
  });

  test('in another browser leaves what this one keeps', async () => {
    await open('/page/note');
    await visitor.types('textarea', NOTE);
    desk.expireAll();
    await visitor.findsItsEnd();
    const elsewhere = await desk.signedIn(visitor.context.browser()!);
    await elsewhere.open('/page/other');
    await elsewhere.context.request.post('/leave');
    await elsewhere.context.close();
    await visitor.signIn();
    await visitor.open('/page/note');
    await visitor.hears('found');
  });
});
