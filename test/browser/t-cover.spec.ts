import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { pageStage } from '../support/client/page-stage.js';

/** What an application says of its page. */
interface Row {
  what: string;
  css?: string;
  className?: string;
  /** Runs in the page before it is covered. */
  before?: () => void;
  /** Runs in the page while it is covered. */
  meanwhile?: () => unknown;
  media?: 'print';
  /** What has become of the page afterwards by its own doing. */
  becomes?: object;
}

const ROWS: Row[] = [
  { what: 'plain' },
  { what: 'a utility', css: '.d-flex{display:flex!important}', className: 'd-flex' },
  {
    what: 'a utility in a layer',
    css: '@layer bootstrap{.d-flex{display:flex!important}}',
    className: 'd-flex',
  },
  {
    what: 'an important utility in the last of some layers',
    css: '@layer theme,base,utilities;@layer utilities{.flex\\!{display:flex!important}}',
    className: 'flex!',
  },
  {
    what: 'a more specific rule',
    css: 'html body.app.ready{display:block!important}',
    className: 'app ready',
  },
  {
    what: 'an inline style',
    before: () => {
      document.body.style.setProperty('display', 'grid', 'important');
      document.body.style.setProperty('transition-property', 'opacity');
    },
  },
  {
    what: 'print',
    css: '@media print{html body.app{display:block!important}}',
    className: 'app',
    media: 'print',
  },
  { what: 'transitions', css: '*{transition:all 30s allow-discrete!important}' },
  {
    what: 'a transition under way',
    css: '*{transition:all 30s allow-discrete!important}body.away{display:none}',
    before: () => {
      document.body.checkVisibility();
      document.body.className = 'away';
      document.body.checkVisibility();
    },
    becomes: { seen: false, text: '', display: 'none' },
  },
  { what: 'style sheets set later', meanwhile: () => (document.adoptedStyleSheets = [new CSSStyleSheet()]) },
  { what: 'a style set later', meanwhile: () => (document.body.style.display = 'flex') },
  { what: 'a style removed later', meanwhile: () => document.body.removeAttribute('style') },
  {
    what: 'an element beside the body',
    meanwhile: () => document.documentElement.append(document.createElement('aside')),
  },
  {
    what: 'a body replaced twice',
    meanwhile: async () => {
      for (let time = 0; time < 2; time++) {
        document.body.replaceWith(document.body.cloneNode(true));
        document.body.removeAttribute('style');
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
  },
  {
    what: 'a root replaced',
    meanwhile: () => {
      const root = document.createElement('html');
      root.innerHTML = '<body><main>Ada</main></body>';
      document.documentElement.replaceWith(root);
    },
    becomes: { text: 'Ada' },
  },
  {
    what: 'a dialog and a popover',
    before: () => {
      document.body.innerHTML = '<dialog>Ada</dialog><p popover>Ada</p>';
      document.querySelector('dialog')!.showModal();
      document.querySelector('p')!.showPopover();
    },
  },
];

const openStage = pageStage();

/** A page that is covered without asking in vain: what is asked waits. */
async function openPage(): Promise<{ page: Page; cover: () => Promise<void>; uncover: () => Promise<void> }> {
  const { server, context } = await openStage({ warnAfter: 600, expireAfter: 1200 });
  server.session.client = { dialog: false };
  server.session.signIn();
  const page = await context.newPage();
  await page.goto('/');
  await page.waitForFunction(() => globalThis.sessionSecurity?.phase() === 'active');
  let answer = (): void => undefined;
  return {
    page,
    async cover() {
      const answered = new Promise<void>((resolve) => (answer = resolve));
      server.interfere = () => answered.then(() => false);
      await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    },
    async uncover() {
      answer();
      await page.waitForFunction(() => globalThis.sessionSecurity!.phase() === 'active');
    },
  };
}

/** Text that can be seen, and what the page says of its body. */
const look = (page: Page) =>
  page.evaluate(() => ({
    seen: [...document.querySelectorAll('body,body *,aside')].some((element) => element.checkVisibility()),
    text: document.documentElement.innerText,
    style: document.body.getAttribute('style') ?? '',
    display: getComputedStyle(document.body).display,
  }));

test('T16 nothing that an application says of its page shows it while it is covered, and it comes back as it was', async () => {
  const { page, cover, uncover } = await openPage();
  for (const { what, css = '', className = '', before, meanwhile, media, becomes } of ROWS) {
    await page.evaluate(
      ([rules, name]) => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(rules!);
        document.adoptedStyleSheets = [sheet];
        document.body.removeAttribute('style');
        document.body.className = name!;
      },
      [css, className],
    );
    if (before) await page.evaluate(before);
    if (media) await page.emulateMedia({ media });
    const was = await look(page);
    expect({ what, seen: was.seen }).toEqual({ what, seen: true });

    await cover();
    expect({ what, ...(await look(page)) }).toMatchObject({ what, seen: false, text: '' });
    if (meanwhile) {
      await page.evaluate(meanwhile);
      expect({ what, ...(await look(page)) }).toMatchObject({ what, seen: false, text: '' });
    }

    await uncover();
    expect({ what, ...(await look(page)) }).toEqual({ what, ...was, ...becomes });
    await page.emulateMedia({ media: null });
  }
});

test('T16 an application that puts its style back, each time, does not show the page', async () => {
  const { page, cover, uncover } = await openPage();
  await page.evaluate(() => {
    const putBack = () => document.body.style.display && (document.body.style.display = '');
    new MutationObserver(putBack).observe(document.body, { attributes: true });
  });
  await cover();
  expect((await look(page)).seen).toBe(false);
  await uncover();
  expect((await look(page)).seen).toBe(true);
});
