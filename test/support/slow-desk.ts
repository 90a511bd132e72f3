import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { Controller, Get, Injectable, Post, Req, Res, Sse } from '@nestjs/common';
import { concat, defer, type Observable, of } from 'rxjs';
import { Passive } from '../../lib/index.js';
import { dataOf, rawOf } from './adapters.js';

interface DeskSession {
  user?: { id: string };
  cookie: object;
  [note: string]: unknown;
  save(callback: (error?: unknown) => void): void;
  regenerate(callback: (error?: unknown) => void): void;
}

type DeskRequest = IncomingMessage & { session: DeskSession };

/** A handler waits behind it until the test opens it. */
class Door {
  readonly #waiting: (() => void)[] = [];
  readonly #watchers: (() => void)[] = [];
  #arrived = 0;

  pass(): Promise<void> {
    this.#arrived++;
    for (const look of this.#watchers.splice(0)) look();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async reached(count: number): Promise<void> {
    while (this.#arrived < count) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  open(): void {
    for (const letGo of this.#waiting.splice(0)) letGo();
  }
}

/** The doors of one application, by name. */
@Injectable()
export class Doors {
  readonly #doors = new Map<string, Door>();

  pass(name: string): Promise<void> {
    return this.#door(name).pass();
  }

  /** Resolves when so many handlers have come to the door. */
  reached(name: string, count = 1): Promise<void> {
    return this.#door(name).reached(count);
  }

  open(name: string): void {
    this.#door(name).open();
  }

  openAll(): void {
    for (const door of this.#doors.values()) door.open();
  }

  #door(name: string): Door {
    const door = this.#doors.get(name) ?? new Door();
    this.#doors.set(name, door);
    return door;
  }
}

/** Handlers that take as long as the test wants. Each waits at the door of its own name. */
@Controller('slow')
export class SlowDesk {
  constructor(private readonly doors: Doors) {}

  @Get('read')
  async read(@Req() request: DeskRequest): Promise<object> {
    await this.doors.pass('read');
    return { user: request.session.user?.id ?? null };
  }

  /** What many applications do on every request. */
  @Get('stamp')
  async stamp(@Req() request: DeskRequest): Promise<object> {
    request.session['lastActivity'] = Date.now();
    await this.doors.pass('stamp');
    return {};
  }

  @Post('write')
  async write(@Req() request: DeskRequest): Promise<object> {
    await this.doors.pass('write');
    request.session['note'] = 'written late';
    return {};
  }

  @Post('save')
  async save(@Req() request: DeskRequest): Promise<object> {
    const { session } = request;
    await this.doors.pass('save');
    session['note'] = 'saved late';
    await promisify<void>((done) => session.save(done))();
    return {};
  }

  /** Gives the session id up at once, and takes its time before it answers. */
  @Post('rotate')
  async rotate(@Req() request: DeskRequest): Promise<object> {
    await rotate(request, dataOf(request.session));
    await this.doors.pass('rotate');
    return {};
  }

  /** Takes its time, and gives the session id up then. */
  @Post('rotate-late')
  async rotateLate(@Req() request: DeskRequest): Promise<object> {
    const data = dataOf(request.session);
    await this.doors.pass('rotate-late');
    await rotate(request, data);
    return {};
  }

  @Sse('news')
  news(): Observable<object> {
    return concat(
      of({ data: 'first' }),
      defer(async () => {
        await this.doors.pass('news');
        return { data: 'last' };
      }),
    );
  }

  @Get('download')
  async download(@Res() answer: object): Promise<void> {
    const response = rawOf<ServerResponse>(answer);
    response.write('half of it, ');
    await this.doors.pass('download');
    response.end('and the rest');
  }

  /** Is through when the last byte has come. */
  @Post('upload')
  async upload(@Req() request: DeskRequest): Promise<object> {
    void this.doors.pass('upload');
    let bytes = 0;
    for await (const chunk of rawOf<IncomingMessage>(request)) bytes += (chunk as Buffer).length;
    return { bytes };
  }

  @Passive()
  @Get('poll')
  async poll(): Promise<object> {
    await this.doors.pass('poll');
    return {};
  }
}

/** A new id for the same data. */
async function rotate(request: DeskRequest, data: object): Promise<void> {
  await promisify<void>((done) => request.session.regenerate(done))();
  Object.assign(request.session, data);
}
