import {
  Body,
  Controller,
  Get,
  HttpStatus,
  NotFoundException,
  Param,
  Post,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { signedInUser } from '../accounts/session-user.js';
import { SignedInGuard } from '../accounts/signed-in.guard.js';
import { type Form, textIn } from '../form.js';
import { Pages } from '../pages/pages.js';
import type { Patient } from './patient.js';
import { patientPage } from './patient.page.js';
import { patientsPage } from './patients.page.js';
import { PatientsService } from './patients.service.js';

const LONGEST_NOTE = 2000;

@Controller()
@UseGuards(SignedInGuard)
export class PatientsController {
  constructor(
    private readonly patients: PatientsService,
    private readonly pages: Pages,
  ) {}

  @Get()
  home(@Res() response: Response): void {
    response.redirect(HttpStatus.SEE_OTHER, '/patients');
  }

  @Get('patients')
  list(@Req() request: Request): string {
    return this.pages.render(request, patientsPage(this.patients.list()));
  }

  @Get('patients/:id')
  show(@Req() request: Request, @Param('id') id: string): string {
    return this.#page(request, this.#find(id));
  }

  @Post('patients/:id/notes')
  addNote(
    @Req() request: Request,
    @Res() response: Response,
    @Param('id') id: string,
    @Body() form?: Form,
  ): void {
    const patient = this.#find(id);
    const text = textIn(form, 'text').trim();
    if (text === '' || text.length > LONGEST_NOTE) {
      const problem = `Write a note of 1 to ${LONGEST_NOTE} characters.`;
      response.status(HttpStatus.UNPROCESSABLE_ENTITY).send(this.#page(request, patient, { text, problem }));
      return;
    }
    this.patients.addNote(patient, { text, author: signedInUser(request).name, writtenAt: new Date() });
    response.redirect(HttpStatus.SEE_OTHER, `/patients/${patient.id}#notes`);
  }

  #page(request: Request, patient: Patient, refused?: { text: string; problem: string }): string {
    return this.pages.render(request, patientPage(patient, this.patients.notesOf(patient), refused));
  }

  #find(id: string): Patient {
    const patient = this.patients.find(id);
    if (patient === undefined) throw new NotFoundException(`There is no patient ${id}`);
    return patient;
  }
}
