import { Injectable } from '@nestjs/common';
import { NotificationsService } from '../notifications/notifications.service.js';
import type { Note, Patient } from './patient.js';

/** Invented people. */
const PATIENTS: readonly Patient[] = [
  { id: '1041', name: 'Amelie Brandt', born: '1987-03-12', appointment: '08:30', concern: 'Vaccination' },
  { id: '1042', name: 'Jonas Okafor', born: '1962-11-02', appointment: '08:45', concern: 'Blood pressure' },
  { id: '1043', name: 'Mei-Lin Schuster', born: '2016-07-25', appointment: '09:00', concern: 'Check-up' },
  { id: '1044', name: 'Tomasz Zieliński', born: '1979-01-30', appointment: '09:30', concern: 'Back pain' },
  {
    id: '1045',
    name: 'Ingrid Aalto',
    born: '1948-09-08',
    appointment: '09:45',
    concern: 'Repeat prescription',
  },
  {
    id: '1046',
    name: 'Rafael Duarte',
    born: '1994-05-17',
    appointment: '10:15',
    concern: 'Laboratory results',
  },
  {
    id: '1047',
    name: "Niamh O'Sullivan",
    born: '2001-12-04',
    appointment: '10:30',
    concern: 'Travel advice',
  },
];

/** The patients of today and the notes about them; in memory. */
@Injectable()
export class PatientsService {
  readonly #notes = new Map<string, Note[]>();

  constructor(private readonly notifications: NotificationsService) {}

  list(): readonly Patient[] {
    return PATIENTS;
  }

  find(id: string): Patient | undefined {
    return PATIENTS.find((patient) => patient.id === id);
  }

  /** Newest first. */
  notesOf(patient: Patient): readonly Note[] {
    return this.#notes.get(patient.id) ?? [];
  }

  addNote(patient: Patient, note: Note): void {
    this.#notes.set(patient.id, [note, ...this.notesOf(patient)]);
    this.notifications.announce(`${note.author} wrote a note about ${patient.name}`);
  }
}
