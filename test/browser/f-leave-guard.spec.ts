import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { FormPage, FormsDesk, Visitor } from '../support/forms-desk.js';
import { formsStage } from '../support/forms-stage.js';

const field = '<input name="title"><textarea name="text"></textarea><button>Save</button>';
const pages: Record<string, FormPage> = {
  asked: { body: `<form method="post" action="/save" data-session-guard>${field}</form>` },
  script: { body: `<form data-session-guard>${field}</form>` },
  everywhere: {
    tag: { guard: true },
    body: `<form id="post" method="post" action="/save">${field}</form>
      <form id="search" action="/page/asked">${field}</form>
      <form id="filter" method="get" data-session-guard>${field}</form>
      <form id="out" method="post" action="/save" data-session-guard="off">${field}</form>
      <div data-session-guard="off"><form id="part" method="post" action="/save">${field}</form></div>`,
  },
  unasked: { body: `<form method="post" action="/save">${field}</form>` },
  lost: { body: `<form method="post" action="/lose" data-session-guard>${field}</form>` },
  two: {
    tag: { guard: true },
    body: `<form id="one" method="post" action="/save">${field}</form>
      <form id="other" method="post" action="/save">${field}</form>`,
  },
};

const enter = formsStage({ pages });
let desk: FormsDesk;
let visitor: Visitor;
let page: Page;

async function open(name: string): Promise<void> {
  ({ desk, visitor, page } = await enter());
  await page.addInitScript(countGuards);
  await visitor.open(`/page/${name}`);
}

/** Runs in the page: keeps count of the listeners that would keep it out of the back/forward cache. */
function countGuards(): void {
  const counter = window as unknown as { guards: number };
  counter.guards = 0;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, name, listener, options) {
    if (name === 'beforeunload') {
      counter.guards += 1;
      const { signal } = options as AddEventListenerOptions;
      signal?.addEventListener('abort', () => (counter.guards -= 1));
    }
    // Called without an object, it is the window's.
    add.call(this ?? window, name, listener, options);
  };
}

const guards = (): Promise<number> => page.evaluate(() => (window as unknown as { guards: number }).guards);

/** Tries to leave the page, and stays if asked; answers whether the person was asked. */
async function asksBeforeLeaving(): Promise<boolean> {
  const left = page.waitForURL('**/lobby', { timeout: 25_000 }).then(() => false);
  const asked = page
    .waitForEvent('dialog', { timeout: 25_000 })
    .then((dialog) => dialog.dismiss())
    .then(() => true);
  await page.evaluate(() => setTimeout(() => location.assign('/lobby')));
  const answers = await Promise.any([left, asked]);
  // The other one is waited for no longer than the page is open.
  void Promise.allSettled([left, asked]);
  return answers;
}

describe('F1', () => {
  test('a changed form that asks for it is guarded, and the page has no such listener before', async () => {
    await open('asked');
    expect(await guards()).toBe(0);
    await page.fill('[name=title]', 'A note');
    expect(await guards()).toBe(1);
    expect(await asksBeforeLeaving()).toBe(true);
    expect(await page.inputValue('[name=title]')).toBe('A note');
  });

  test('so is a form without a method that a script sends, when the form itself asks for it', async () => {
    await open('script');
    await page.fill('[name=title]', 'A note');
    expect(await asksBeforeLeaving()).toBe(true);
  });

  test('a form that nobody asked to guard is left without a question', async () => {
    await open('unasked');
    await page.fill('[name=title]', 'A note');
    expect(await guards()).toBe(0);
    expect(await asksBeforeLeaving()).toBe(false);
  });

  test.each(['search', 'filter', 'out', 'part'])(
    'the form "%s" is never guarded, also when all are',
    async (id) => {
      await open('everywhere');
      await page.fill(`#${id} [name=title]`, 'A word');
      expect(await guards()).toBe(0);
      expect(await asksBeforeLeaving()).toBe(false);
    },
  );

  test('where all are, a form that is sent by POST is', async () => {
    await open('everywhere');
    await page.fill('#post [name=text]', 'A note');
    expect(await asksBeforeLeaving()).toBe(true);
  });

  test('what a script fills in makes nothing dirty, with events and without', async () => {
    await open('asked');
    await page.evaluate(() => {
      const title = document.querySelector('input')!;
      title.value = 'By a script';
      title.dispatchEvent(new InputEvent('input', { bubbles: true }));
      title.dispatchEvent(new Event('change', { bubbles: true }));
      document.querySelector('textarea')!.value = 'By a script';
    });
    expect(await guards()).toBe(0);
    expect(await asksBeforeLeaving()).toBe(false);
  });
});

describe('F2', () => {
  test('a submit leaves without a question', async () => {
    await open('asked');
    await page.fill('[name=title]', 'Sent');
    let asked = false;
    page.on('dialog', (dialog) => {
      asked = true;
      void dialog.accept();
    });
    await page.click('button');
    await page.waitForURL('**/lobby');
    expect(asked).toBe(false);
    expect(desk.saved.at(-1)).toMatchObject({ title: 'Sent' });
  });

  test('a submit that a script prevents leaves the form dirty', async () => {
    await open('asked');
    await page.evaluate(() => {
      document.querySelector('form')!.addEventListener('submit', (event) => {
        event.preventDefault();
        document.title = 'prevented';
      });
    });
    await page.fill('[name=title]', 'A note');
    await page.click('button');
    await page.waitForFunction(() => document.title === 'prevented');
    expect(await asksBeforeLeaving()).toBe(true);
  });

  test('a submit that fails and stays on the page leaves the form dirty', async () => {
    await open('lost');
    await page.fill('[name=title]', 'A note');
    const answered = page.waitForResponse('**/lose');
    await page.click('button');
    await answered;
    expect(await asksBeforeLeaving()).toBe(true);
  });

  test('a submit of one form asks for another one that is dirty too', async () => {
    await open('two');
    await page.fill('#one [name=title]', 'One');
    await page.fill('#other [name=title]', 'Other');
    const asked = page.waitForEvent('dialog').then((dialog) => dialog.dismiss());
    await page.click('#one button');
    await asked;
    expect(await page.inputValue('#other [name=title]')).toBe('Other');
  });

  test('markClean(form) cleans it, and markClean() all', async () => {
    await open('two');
    await page.fill('#one [name=title]', 'One');
    await page.fill('#other [name=title]', 'Other');
    await page.evaluate(() =>
      sessionSecurity!.forms!.markClean(document.querySelector<HTMLFormElement>('#one')!),
    );
    expect(await guards()).toBe(1);
    await page.evaluate(() => sessionSecurity!.forms!.markClean());
    expect(await guards()).toBe(0);
    expect(await asksBeforeLeaving()).toBe(false);
  });

  test('a reset cleans, a prevented reset does not', async () => {
    await open('asked');
    await page.fill('[name=title]', 'A note');
    await page.evaluate(() => {
      const form = document.querySelector('form')!;
      form.addEventListener('reset', (event) => event.preventDefault(), { once: true });
      form.reset();
    });
    expect(await guards()).toBe(1);
    await page.evaluate(() => document.querySelector('form')!.reset());
    expect(await guards()).toBe(0);
    expect(await asksBeforeLeaving()).toBe(false);
  });

  test('a form that is taken out of the page asks for nothing', async () => {
    await open('asked');
    await page.fill('[name=title]', 'A note');
    await page.evaluate(() => document.querySelector('form')!.remove());
    expect(await asksBeforeLeaving()).toBe(false);
  });
});

describe('F3', () => {
  test('it can be switched off and on again at run time', async () => {
    await open('asked');
    await page.fill('[name=title]', 'A note');
    await page.evaluate(() => sessionSecurity!.forms!.guard(false));
    expect(await guards()).toBe(0);
    await page.evaluate(() => sessionSecurity!.forms!.guard(true));
    expect(await guards()).toBe(1);
    await page.evaluate(() => document.querySelector('form')!.setAttribute('data-session-guard', 'off'));
    expect(await asksBeforeLeaving()).toBe(false);
  });

  test("the application's own onbeforeunload stays what it is", async () => {
    await open('asked');
    await page.evaluate(() => {
      window.onbeforeunload = () => {
        sessionStorage.setItem('own', 'called');
      };
    });
    await page.fill('[name=title]', 'A note');
    expect(await page.evaluate(() => typeof window.onbeforeunload)).toBe('function');
    await page.evaluate(() => sessionSecurity!.forms!.guard(false));
    expect(await asksBeforeLeaving()).toBe(false);
    expect(await page.evaluate(() => sessionStorage.getItem('own'))).toBe('called');
  });

  test('destroy() leaves no listener behind', async () => {
    await open('asked');
    await page.fill('[name=title]', 'A note');
    await page.evaluate(() => sessionSecurity!.forms!.destroy());
    expect(await guards()).toBe(0);
    await page.fill('[name=text]', 'More');
    expect(await guards()).toBe(0);
  });
});

describe('T15', () => {
  test('the end of the session asks nothing', async () => {
    await open('asked');
    await page.fill('[name=title]', 'A note');
    let asked = false;
    page.on('dialog', (dialog) => {
      asked = true;
      void dialog.accept();
    });
    desk.expireAll();
    await visitor.findsItsEnd();
    expect(asked).toBe(false);
  });
});
