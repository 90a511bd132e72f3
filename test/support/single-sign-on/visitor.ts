/** A page that a browser has come to. */
export interface VisitedPage {
  readonly address: URL;
  readonly text: string;
}

/** A person with a browser, which has cookies of each origin and follows redirects from one to the other. */
export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Where it was sent from and to, on the way to the last page. */
  way: URL[] = [];

  async visit(address: string | URL, form?: Record<string, string>): Promise<VisitedPage> {
    this.way = [];
    let next = new URL(address);
    let body = form && new URLSearchParams(form);
    for (;;) {
      this.way.push(next);
      const answer: Response = await fetch(next, {
        redirect: 'manual',
        method: body ? 'POST' : 'GET',
        ...(body && { body }),
        headers: { Cookie: [...this.#jarOf(next)].map((cookie) => cookie.join('=')).join('; ') },
      });
      this.#keep(next, answer.headers.getSetCookie());
      const target = answer.headers.get('location');
      if (target === null) return { address: next, text: await answer.text() };
      next = new URL(target, next);
      body = undefined;
    }
  }

  /** Fills in the form of a page and sends it. */
  submit({ address, text }: VisitedPage, fields: Record<string, string>): Promise<VisitedPage> {
    const action = /<form[^>]* action="([^"]*)"/.exec(text)![1]!;
    const hidden = [...text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const given = Object.fromEntries(hidden.map(([, name, value]) => [name!, value!]));
    return this.visit(new URL(action, address), { ...given, ...fields });
  }

  /** The browser was closed: of this origin nothing is left. */
  forget(origin: string): void {
    this.#cookies.delete(new URL(origin).origin);
  }

  #jarOf({ origin }: URL): Map<string, string> {
    const jar = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, jar);
    return jar;
  }

  #keep(from: URL, lines: string[]): void {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.#jarOf(from).delete(name!);
      else this.#jarOf(from).set(name!, value!);
    }
  }
}
