import type { Page } from 'playwright-core';

/** What a person sees of a page of the sample, and since when, in epoch milliseconds. */
export interface View {
  readonly name: 'content' | 'warning' | 'covered' | 'sign-in';
  readonly at: number;
}

/** Writes down, from the next navigation on, every change of what is to be seen. */
export async function recordViews(page: Page): Promise<View[]> {
  const seen: View[] = [];
  await page.exposeFunction('tellView', (name: View['name'], at: number) => seen.push({ name, at }));
  await page.addInitScript(watchView);
  return seen;
}

/** Runs in the page, in every document of it. */
function watchView(): void {
  const LOOK_EVERY_MS = 10;
  const { tellView } = window as unknown as { tellView: (name: View['name'], at: number) => void };
  let last: View['name'] | undefined;

  const look = (): View['name'] | undefined => {
    if (location.pathname === '/sign-in') return 'sign-in';
    const content = document.querySelector('main');
    if (!content) return undefined;
    if (!content.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return 'covered';
    const dialog = document.querySelector('session-security-dialog')?.shadowRoot?.querySelector('dialog');
    return dialog?.open ? 'warning' : 'content';
  };

  setInterval(() => {
    const name = look();
    if (name === undefined || name === last) return;
    last = name;
    tellView(name, Date.now());
  }, LOOK_EVERY_MS);
}
