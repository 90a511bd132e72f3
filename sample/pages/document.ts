import { type Html, html } from './html.js';

export interface DocumentParts {
  readonly title: string;
  readonly body: Html;
  /** Names of scripts in `public/`. */
  readonly scripts?: readonly string[];
  /** The tag of the session script. */
  readonly sessionTag: Html;
}

/** A whole page as text. */
export function documentOf({ title, body, scripts = [], sessionTag }: DocumentParts): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Lindenhof Practice</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/clinic.css" />
        ${sessionTag} ${scripts.map((name) => html`<script type="module" src="/assets/${name}"></script>`)}
      </head>
      <body>
        <a class="skip-link" href="#content">Skip to the content</a>
        ${body}
      </body>
    </html>`;
  return page.markup;
}
