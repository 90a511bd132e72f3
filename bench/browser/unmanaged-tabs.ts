import type { Browser, CDPSession } from 'playwright-core';

/** One command of the Chrome DevTools Protocol, and its answer. */
type Send = (method: string, parameters?: object) => Promise<Record<string, unknown>>;

/** A page that is left at the wrong moment answers nothing. */
const LONGEST_COMMAND_MS = 15_000;

/** Events have no `id`. */
interface Reply {
  readonly id?: number;
  readonly result?: object;
  readonly error?: { readonly message: string };
}

/**
 * Tabs that Playwright knows nothing of. It keeps its own pages "visible" and focused whatever is in front, so that none
 * of them is ever throttled or can be frozen. Browser contexts that it has not made it leaves alone.
 */
export class UnmanagedTabs {
  private readonly sessions = new Map<string, (message: string) => void>();

  private constructor(private readonly devTools: CDPSession) {
    devTools.on('Target.receivedMessageFromTarget', ({ sessionId, message }) =>
      this.sessions.get(sessionId)?.(message),
    );
  }

  static async of(browser: Browser): Promise<UnmanagedTabs> {
    return new UnmanagedTabs(await browser.newBrowserCDPSession());
  }

  /** A browser profile of its own. */
  async newVisit(): Promise<Visit> {
    const { browserContextId } = await this.devTools.send('Target.createBrowserContext');
    return new Visit(this, this.devTools, browserContextId);
  }

  /** Flat sessions would be tidier; Playwright's interface does not carry them. */
  async attach(targetId: string): Promise<Send> {
    const { sessionId } = await this.devTools.send('Target.attachToTarget', { targetId, flatten: false });
    const waiting = new Map<number, (reply: Reply) => void>();
    this.sessions.set(sessionId, (text) => {
      const reply = JSON.parse(text) as Reply;
      if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    });
    let sent = 0;
    return (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = ++sent;
        const limit = setTimeout(() => reject(new Error(`${method}: no answer`)), LONGEST_COMMAND_MS);
        waiting.set(id, ({ result, error }) => {
          waiting.delete(id);
          clearTimeout(limit);
          if (error) reject(new Error(`${method}: ${error.message}`));
          else resolve(result as Record<string, unknown>);
        });
        const message = JSON.stringify({ id, method, params });
        this.devTools.send('Target.sendMessageToTarget', { sessionId, message }).catch(reject);
      });
  }
}

/** Tabs of one browser: one cookie jar, one set of channels, one window. */
export class Visit {
  readonly tabs: Tab[] = [];

  constructor(
    private readonly tabSource: UnmanagedTabs,
    private readonly devTools: CDPSession,
    private readonly browserContextId: string,
  ) {}

  /**
   * Opens a tab in front of the others.
   *
   * @param prepare runs in the page before everything else: functions of no arguments and no closure
   */
  async open(url: string, ...prepare: readonly (() => void)[]): Promise<Tab> {
    const { browserContextId } = this;
    const { targetId } = await this.devTools.send('Target.createTarget', {
      url: 'about:blank',
      browserContextId,
    });
    const tab = new Tab(await this.tabSource.attach(targetId), () =>
      this.devTools.send('Target.activateTarget', { targetId }),
    );
    this.tabs.push(tab);
    await tab.send('Page.enable');
    for (const script of [shiftableClock, ...prepare])
      await tab.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${script.toString()})()` });
    await tab.bringToFront();
    await tab.send('Page.navigate', { url });
    return tab;
  }

  async close(): Promise<void> {
    await this.devTools.send('Target.disposeBrowserContext', { browserContextId: this.browserContextId });
  }
}

export class Tab {
  private moves = 0;

  constructor(
    readonly send: Send,
    readonly bringToFront: () => Promise<unknown>,
  ) {}

  /** Evaluates a function of no arguments and no closure in the page. */
  async evaluate<Value>(work: () => Value | Promise<Value>): Promise<Value> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression: `(${work.toString()})()`,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value: Value }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'The page threw.');
    return result.value;
  }

  navigate(url: string): Promise<unknown> {
    return this.send('Page.navigate', { url });
  }

  /**
   * Moves the mouse on over the page's content, to where it has not been lately: some clients hear only what happens in the
   * body, and compare with the place that they saw last.
   */
  async moveMouse(): Promise<void> {
    this.moves++;
    await this.mouseStirs();
  }

  /** The system reports a move of a mouse that rests. */
  async mouseStirs(): Promise<void> {
    const x = 100 + ((7 * this.moves) % 400);
    const y = 100 + ((3 * this.moves) % 200);
    await this.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y });
  }

  /** Only a tab that is not seen can be frozen. */
  async freeze(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** The clock of the machine is set; nothing else happens. Of sleep, macOS and Linux show the page just this. */
  async shiftClock(milliseconds: number): Promise<void> {
    await this.send('Runtime.evaluate', { expression: `shiftClock(${milliseconds})` });
  }
}

/** Runs in each page before everything else. The monotonic clock stays as it is. */
function shiftableClock(): void {
  const RealDate = Date;
  let shift = 0;
  // What happens to the clock while another page is in the tab is seen by a page that comes back, too.
  const readShift = (): void => void (shift = Number(sessionStorage.getItem('clock-shift')));
  readShift();
  addEventListener('pageshow', readShift, true);
  class ShiftedDate extends RealDate {
    constructor(...parts: unknown[]) {
      super(...((parts.length > 0 ? parts : [RealDate.now() + shift]) as [number]));
    }

    static override now(): number {
      return RealDate.now() + shift;
    }
  }
  Object.assign(globalThis, {
    Date: ShiftedDate,
    shiftClock: (milliseconds: number) =>
      sessionStorage.setItem('clock-shift', String((shift += milliseconds))),
  });
}
