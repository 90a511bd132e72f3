import { html } from '../pages/html.js';
import type { PageParts } from '../pages/pages.js';

/** The templates are filled in by `public/administration.js`. */
export const administrationPage: PageParts = {
  title: 'Administration',
  section: 'administration',
  scripts: ['administration.js'],
  content: html`
    <h1>Administration</h1>
    <noscript
      ><p class="notice">This page follows the sessions by script, and scripts are switched off.</p></noscript
    >
    <section aria-labelledby="live-sessions">
      <h2 id="live-sessions">Live sessions</h2>
      <ul class="live-sessions" data-sessions></ul>
    </section>
    <section aria-labelledby="session-events">
      <h2 id="session-events">What happened</h2>
      <div class="card scrolls tall" role="region" aria-labelledby="session-events" tabindex="0">
        <table aria-labelledby="session-events">
          <thead>
            <tr>
              <th scope="col">At</th>
              <th scope="col">Event</th>
              <th scope="col">Who</th>
              <th scope="col">Why</th>
              <th scope="col">Idle</th>
              <th scope="col">Late</th>
            </tr>
          </thead>
          <tbody data-events></tbody>
        </table>
      </div>
    </section>
    <template id="session">
      <li class="card live-session">
        <p>
          <strong data-user></strong> <span class="aside">signed in at <time data-since></time></span>
        </p>
        <form method="post" action="/administration/end-sessions">
          <input type="hidden" name="user" />
          <button type="submit" class="quiet">End</button>
        </form>
        <meter min="0"></meter>
        <p class="aside" data-remaining></p>
      </li>
    </template>
    <template id="event">
      <tr>
        <td><time data-at></time></td>
        <td><span class="kind" data-kind></span></td>
        <td data-user></td>
        <td data-reason></td>
        <td data-idle></td>
        <td data-late></td>
      </tr>
    </template>
  `,
};
