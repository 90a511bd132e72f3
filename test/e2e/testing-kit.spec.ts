import 'reflect-metadata';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Controller, Get, type INestApplication, Logger, Module, Post, Req } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import session from 'express-session';
import request from 'supertest';
import { SessionSecurityModule } from '../../lib/index.js';
import { Clock, SessionEventRecorder, VirtualClock } from '../../lib/testing/index.js';

@Controller()
class AccountController {
  @Post('login')
  login(@Req() call: { session: { userId?: string } }): void {
    call.session.userId = 'anna';
  }

  @Get('account')
  account(@Req() call: { session: { userId?: string } }): { user: string | null } {
    return { user: call.session.userId ?? null };
  }
}

@Module({
  imports: [SessionSecurityModule.forRoot({ warnAfter: 540, expireAfter: 600 })],
  controllers: [AccountController],
})
class AppModule {}

const clock = new VirtualClock();
let app: INestApplication;
let recorder: SessionEventRecorder;
beforeEach(async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  app = module.createNestApplication();
  app.use(session({ secret: 'only for tests', resave: false, saveUninitialized: false }));
  await app.init();
  recorder = new SessionEventRecorder(app);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await app.close();
});

it('an application tests its own timeout in no time', async () => {
  const agent = request.agent(app.getHttpServer());
  await agent.post('/login').expect(201);
  await clock.advance(599);
  expect((await agent.get('/account')).body).toEqual({ user: 'anna' });
  await clock.advance(600);
  expect((await agent.get('/account')).body).toEqual({ user: null });
  expect(recorder.events.map(({ kind }) => kind)).toEqual([
    'start',
    'warn',
    'renew',
    'warn',
    'expire',
    'end',
  ]);
  expect(recorder.of('expire')[0]?.reason).toBe('idle');
});

it('what a request still asks of a store that answers at once is answered before time passes', async () => {
  const agent = request.agent(app.getHttpServer());
  await agent.post('/login').expect(201);
  const failures = jest.spyOn(Logger.prototype, 'error');
  for (const seconds of [7, 13, 60, 500, 599]) {
    for (let round = 0; round < 5; round++) {
      expect((await agent.get('/account')).body).toEqual({ user: 'anna' });
      await clock.advance(seconds);
    }
  }
  expect(failures.mock.calls).toEqual([]);
  expect(recorder.of('expire')).toEqual([]);
});

it('what a machine missed while it stood still is made up for at the next tick', async () => {
  await request(app.getHttpServer()).post('/login').expect(201);
  clock.jump(3_600);
  expect(recorder.of('expire')).toEqual([]);
  await clock.advance(1);
  expect(recorder.of('expire')).toEqual([expect.objectContaining({ lateMs: 3_000_000 })]);
});

it('a clock that no application goes by says so when time is to pass', async () => {
  const forgotten = new VirtualClock();
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(Clock)
    .useValue(forgotten)
    .compile();
  const message = /No application goes by this VirtualClock yet.*overrideProvider\(Clock\).*app\.init\(\)/;
  await expect(forgotten.advance(1)).rejects.toThrow(message);
  await expect(forgotten.pass(1)).rejects.toThrow(message);
  const other = module.createNestApplication();
  await other.init();
  await forgotten.advance(1);
  await other.close();
  // A test may close its application early.
  await forgotten.advance(1);
});
