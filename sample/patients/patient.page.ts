import { html } from '../pages/html.js';
import type { PageParts } from '../pages/pages.js';
import type { Note, Patient } from './patient.js';

interface RefusedNote {
  readonly text: string;
  readonly problem: string;
}

export const patientPage = (patient: Patient, notes: readonly Note[], refused?: RefusedNote): PageParts => ({
  title: patient.name,
  section: 'patients',
  content: html`
    <p class="aside"><a href="/patients">All patients</a></p>
    <h1>${patient.name}</h1>
    <dl class="card facts">
      ${fact('Number', patient.id)} ${fact('Born', patient.born)} ${fact('Appointment', patient.appointment)}
      ${fact('Concern', patient.concern)}
    </dl>
    <section id="notes" aria-labelledby="notes-heading">
      <h2 id="notes-heading">Notes</h2>
      ${form(patient, refused)} ${notes.length === 0 ? html`<p class="aside">No notes yet.</p>` : undefined}
      <ol class="notes">
        ${notes.map(note)}
      </ol>
    </section>
  `,
});

const fact = (name: string, value: string) =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

const form = ({ id }: Patient, refused?: RefusedNote) => html`
  <form class="card" method="post" action="/patients/${id}/notes" data-session-guard data-session-draft>
    <label for="text">New note</label>
    ${refused && html`<p class="notice refusal" role="alert" id="problem">${refused.problem}</p>`}
    <textarea
      id="text"
      name="text"
      rows="4"
      maxlength="2000"
      required
      ${refused && html`aria-describedby="problem"`}
    >
${refused?.text}</textarea>
    <button type="submit">Save note</button>
  </form>
`;

const note = ({ text, author, writtenAt }: Note) => html`
  <li class="card">
    <p>${text}</p>
    <p class="aside">${author}, <time datetime="${writtenAt.toISOString()}">${clockTime(writtenAt)}</time></p>
  </li>
`;

const clockTime = (instant: Date) =>
  instant.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
