import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { SessionSecurityService } from 'nestjs-session-security';
import type { DemoUser } from '../accounts/demo-users.js';
import { signedInUser } from '../accounts/session-user.js';
import { documentOf } from './document.js';
import { Html, html } from './html.js';

export interface PageParts {
  readonly title: string;
  readonly section: Section;
  readonly content: Html;
  /** Names of scripts in `public/`. */
  readonly scripts?: readonly string[];
}

type Section = 'patients' | 'waiting-room' | 'administration';

/** The frame of every page that signed-in users see. */
@Injectable()
export class Pages {
  constructor(private readonly sessionSecurity: SessionSecurityService) {}

  render(request: Request, { title, section, content, scripts }: PageParts): string {
    const user = signedInUser(request);
    return documentOf({
      title,
      scripts: scripts ?? [],
      sessionTag: new Html(this.sessionSecurity.clientTag(request)),
      body: html`
        ${header(user, section)}
        <main id="content" tabindex="-1">${content}</main>
      `,
    });
  }
}

const header = (user: DemoUser, current: Section) => html`
  <header class="page-header">
    <a class="brand" href="/patients"><img src="/assets/icon.svg" alt="" />Lindenhof Practice</a>
    <nav aria-label="Sections">
      <ul>
        ${link('patients', 'Patients', current)} ${link('waiting-room', 'Waiting room', current)}
        ${user.isAdministrator ? link('administration', 'Administration', current) : undefined}
      </ul>
    </nav>
    <form class="signed-in" method="post" action="/sign-out">
      <span>${user.name}</span>
      <button type="submit" class="quiet">Sign out</button>
    </form>
  </header>
`;

const link = (section: Section, text: string, current: Section) =>
  section === current
    ? html`<li><a href="/${section}" aria-current="page">${text}</a></li>`
    : html`<li><a href="/${section}">${text}</a></li>`;
