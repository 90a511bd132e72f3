import { html } from '../pages/html.js';
import type { PageParts } from '../pages/pages.js';
import type { WaitingPatient } from './waiting-room.service.js';

export const waitingRoomPage = (queue: readonly WaitingPatient[]): PageParts => ({
  title: 'Waiting room',
  section: 'waiting-room',
  scripts: ['waiting-room.js'],
  content: html`
    <h1 id="waiting-room">Waiting room</h1>
    <p class="aside">
      This page looks every two seconds who is waiting. That keeps the list fresh, but nobody signed in: only
      people do.
    </p>
    <div class="card scrolls" role="region" aria-labelledby="waiting-room" tabindex="0">
      <table aria-labelledby="waiting-room">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">For</th>
            <th scope="col">Waiting</th>
          </tr>
        </thead>
        <tbody data-queue>
          ${queue.map(row)}
        </tbody>
      </table>
    </div>
    <p class="aside">Looked at <span data-looked-at>when the page was opened</span>.</p>
  `,
});

const row = ({ name, room, minutes }: WaitingPatient) => html`
  <tr>
    <th scope="row">${name}</th>
    <td>${room}</td>
    <td>${minutes} min</td>
  </tr>
`;
