import { html } from '../pages/html.js';
import type { PageParts } from '../pages/pages.js';
import type { Patient } from './patient.js';

export const patientsPage = (patients: readonly Patient[]): PageParts => ({
  title: 'Patients',
  section: 'patients',
  scripts: ['notifications.js'],
  content: html`
    <div class="columns">
      <section aria-labelledby="patients">
        <h1 id="patients">Patients today</h1>
        <div class="card scrolls" role="region" aria-labelledby="patients" tabindex="0">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Name</th>
                <th scope="col">Born</th>
                <th scope="col">Concern</th>
              </tr>
            </thead>
            <tbody>
              ${patients.map(row)}
            </tbody>
          </table>
        </div>
      </section>
      <aside aria-labelledby="notifications">
        <h2 id="notifications">Notifications</h2>
        <div class="card">
          <p class="aside" data-notifications-empty>Nothing new yet.</p>
          <ol class="notifications" role="log" aria-labelledby="notifications" data-notifications></ol>
        </div>
      </aside>
    </div>
  `,
});

const row = ({ id, name, born, appointment, concern }: Patient) => html`
  <tr>
    <td>${appointment}</td>
    <th scope="row"><a href="/patients/${id}">${name}</a></th>
    <td class="date">${born}</td>
    <td>${concern}</td>
  </tr>
`;
