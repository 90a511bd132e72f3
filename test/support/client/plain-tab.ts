import type { Browser, CDPSession } from 'playwright-core';

interface Answer {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
}

/**
 * A tab as people have it. Playwright makes every page believe that it is seen and has the focus
 * (`Emulation.setFocusEmulationEnabled`), so nothing of what browsers do to hidden tabs can be shown with its pages; this
 * one is driven by the DevTools protocol alone.
 */
export class PlainTab {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(
    private readonly devTools: CDPSession,
    private readonly targetId: string,
    private readonly sessionId: string,
  ) {
    devTools.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
      if (from !== this.sessionId) return;
      const answer = JSON.parse(message) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** Opens a tab in front of all others, with cookies and storage that all plain tabs share. */
  static async open(browser: Browser, url: string): Promise<PlainTab> {
    const devTools = await browser.newBrowserCDPSession();
    const { targetId } = await devTools.send('Target.createTarget', { url });
    const { sessionId } = await devTools.send('Target.attachToTarget', { targetId, flatten: false });
    return new PlainTab(devTools, targetId, sessionId);
  }

  /** Sends a command to the tab. A frozen tab answers those that concern the page only when it goes on. */
  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.devTools.send('Target.sendMessageToTarget', { sessionId: this.sessionId, message });
    const { result, error } = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result!;
  }

  /** Looks at the page; at the next one, if this one is left while it is looked at. */
  async evaluate<Result>(look: () => Result): Promise<Result> {
    const params = { expression: `(${look.toString()})()`, awaitPromise: true, returnByValue: true };
    const answer = await this.send('Runtime.evaluate', params).catch((error: unknown) => {
      if (!/navigated|context/.test(String(error))) throw error;
    });
    if (!answer) return this.evaluate(look);
    const { result, exceptionDetails } = answer as {
      result: { value: Result };
      exceptionDetails?: object;
    };
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** In front of all others, which are hidden by it. */
  async bringToFront(): Promise<void> {
    await this.send('Page.bringToFront');
  }

  /** Only a hidden tab can be frozen. */
  async freeze(frozen: boolean): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: frozen ? 'frozen' : 'active' });
  }

  /** The processor is so many times slower for this tab. */
  async slowDown(rate: number): Promise<void> {
    await this.send('Emulation.setCPUThrottlingRate', { rate });
  }

  /** A key is pressed and let go. */
  async press(key: string): Promise<void> {
    for (const type of ['keyDown', 'keyUp'])
      await this.send('Input.dispatchKeyEvent', { type, key, code: key });
  }

  async close(): Promise<void> {
    await this.devTools.send('Target.closeTarget', { targetId: this.targetId });
    await this.devTools.detach();
  }
}
