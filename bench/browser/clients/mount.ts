/** When to warn and when to sign out, in seconds of inactivity. */
export interface Limits {
  readonly warnAfter: number;
  readonly expireAfter: number;
}

/** What the application around a client does when it is told of something. */
export interface ApplicationHooks {
  warned: () => void;
  active: () => void;
  /** Leaves the page, as applications do. Clients that leave on their own call nothing. */
  expired: () => void;
}

/** What the benchmarks do with a mounted client. */
export interface MountedClient {
  /** Whether it is watching, when that is not at once. */
  ready?: () => boolean;
  /** Clicks "Stay signed in". */
  stay?: () => void;
}

/** Starts a client in this page, as its documentation says. */
export type Mount = (limits: Limits, hooks: ApplicationHooks) => MountedClient | void;

/** What the benchmarks read in a page. */
export interface BenchedPage {
  started: boolean;
  warned: boolean;
  errors: string[];
  client: MountedClient;
}

declare global {
  var benched: BenchedPage;
}

/** The application of the benchmarks: its limits are in the page, and it leaves for `/signed-out`. */
export function embed(mount: Mount): void {
  const page: BenchedPage = { started: false, warned: false, errors: [], client: {} };
  globalThis.benched = page;
  addEventListener('error', ({ message }) => page.errors.push(message));
  const { warnAfter, expireAfter } = document.documentElement.dataset;
  const limits = { warnAfter: Number(warnAfter), expireAfter: Number(expireAfter) };
  const hooks: ApplicationHooks = {
    warned: () => void (page.warned = true),
    active: () => void (page.warned = false),
    expired: () => location.replace('/signed-out'),
  };
  try {
    page.client = mount(limits, hooks) ?? {};
  } catch (error) {
    page.errors.push(String(error));
  }
  page.started = true;
}
