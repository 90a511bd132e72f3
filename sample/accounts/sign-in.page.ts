import { documentOf } from '../pages/document.js';
import { inWords } from '../pages/durations.js';
import { type Html, html } from '../pages/html.js';
import type { SampleSettings } from '../settings.js';
import { type DemoUser, demoUsers, limitsOf } from './demo-users.js';

export interface SignInPage {
  readonly returnTo: string;
  readonly limits: SampleSettings['limits'];
  /** Here too, because it tells the other tabs that nobody is signed in any more. */
  readonly sessionTag: Html;
  /** Why the last session ended. */
  readonly ended?: keyof typeof ENDED;
  /** The user name of an attempt that failed. */
  readonly refused?: string;
}

const ENDED = {
  idle: 'You were signed out because nothing was done for a while.',
  lifetime: 'You were signed out because you had been signed in for as long as is allowed.',
  revoked: 'You were signed out by the administration.',
  replaced: 'You were signed out because you signed in somewhere else.',
};

export function signInPage({ returnTo, limits, sessionTag, ended, refused }: SignInPage): string {
  return documentOf({
    title: 'Sign in',
    sessionTag,
    body: html`
      <main id="content" class="sign-in" tabindex="-1">
        <h1><img src="/assets/icon.svg" alt="" />Lindenhof Practice</h1>
        ${ended && html`<p class="notice" role="status" data-ended="${ended}">${ENDED[ended]} Please sign in again.</p>`}
        ${refused !== undefined ? html`<p class="notice refusal" role="alert">User name or password is wrong.</p>` : undefined}
        ${form(returnTo, refused)}
        <section class="demo-users" aria-labelledby="demo-users">
          <h2 id="demo-users">For this demonstration</h2>
          <ul>
            ${demoUsers.map((user) => demoUser(user, limits))}
          </ul>
        </section>
      </main>
    `,
  });
}

const form = (returnTo: string, refused = '') => html`
  <form class="card" method="post" action="/sign-in">
    <input type="hidden" name="returnTo" value="${returnTo}" />
    <label for="user">User name</label>
    <input id="user" name="user" value="${refused}" autocomplete="username" autocapitalize="none" required />
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required />
    <button type="submit">Sign in</button>
  </form>
`;

/** Users are told of the limit before they begin (WCAG 2.2, success criterion 2.2.6). */
function demoUser(user: DemoUser, limits: SampleSettings['limits']): Html {
  const { warnAfter, expireAfter } = limitsOf(user, limits);
  return html`
    <li>
      <p><strong>${user.name}</strong><br />${user.role}</p>
      <p>User name <code>${user.id}</code>, password <code>${user.password}</code></p>
      <p class="aside">
        Without activity warned after ${inWords(warnAfter)}, signed out after ${inWords(expireAfter)}.
      </p>
    </li>
  `;
}
