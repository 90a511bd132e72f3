import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { createApplication } from '../../sample/application.js';
import { readSettings } from '../../sample/settings.js';
import { eventually } from '../support/real-time.js';

type Agent = ReturnType<typeof request.agent> & { readonly cookie: string };

let application: NestExpressApplication;
let server: Server;

beforeAll(async () => {
  application = await createApplication(readSettings({ PORT: '0' }), false);
  await application.listen(0, '127.0.0.1');
  server = application.getHttpServer();
});
afterAll(() => application.close());

async function signedIn(user: string, password: string): Promise<Agent> {
  const agent = request.agent(server);
  const { headers } = await agent.post('/sign-in').type('form').send({ user, password }).expect(303);
  const cookies = headers['set-cookie'] as unknown as string[];
  return Object.assign(agent, { cookie: cookies[0]!.split(';')[0]! });
}

const reception = () => signedIn('reception', 'good-morning');
const manager = () => signedIn('manager', 'paper-work');

/** Follows the news of whoever is signed in with the agent; the text grows as they come. */
async function followNews(agent: Agent): Promise<{ text: string; closed: boolean }> {
  const response = await fetch(`${await application.getUrl()}/notifications/stream`, {
    headers: { cookie: agent.cookie, accept: 'text/event-stream' },
  });
  expect(response.status).toBe(200);
  const news = { text: '', closed: false };
  const read = async () => {
    for await (const chunk of response.body!) news.text += Buffer.from(chunk).toString();
    news.closed = true;
  };
  void read();
  return news;
}

test('pages are for signed-in users: others are sent to sign in, programs are answered 401', async () => {
  await request(server)
    .get('/patients?sort=name')
    .accept('html')
    .expect(303)
    .expect('Location', '/sign-in?returnTo=%2Fpatients%3Fsort%3Dname');
  await request(server).get('/waiting-room/queue').accept('json').expect(401);
});

test('a wrong password is refused, and what was typed comes back as text', async () => {
  const { text } = await request(server)
    .post('/sign-in')
    .type('form')
    .send({ user: '"><script>', password: 'guess' })
    .expect(401);

  expect(text).toContain('User name or password is wrong');
  expect(text).toContain('value="&quot;&gt;&lt;script&gt;"');
});

test('L1 the way back never leads to another site', async () => {
  for (const returnTo of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/patients/..//evil.example',
    '',
  ]) {
    const form = { user: 'reception', password: 'good-morning', returnTo };
    await request(server).post('/sign-in').type('form').send(form).expect('Location', '/patients');
  }
});

test('a note is kept as it was written, shown as text, and told to everybody', async () => {
  const agent = await reception();
  const news = await followNews(agent);
  await agent.post('/patients/1041/notes').type('form').send({ text: ' ' }).expect(422);
  await agent
    .post('/patients/1041/notes')
    .type('form')
    .send({ text: '<b>tetanus</b>' })
    .expect('Location', '/patients/1041#notes');

  expect((await agent.get('/patients/1041')).text).toContain('&lt;b&gt;tetanus&lt;/b&gt;');
  await eventually(
    'the news',
    () => news.text.includes('Nora Lind wrote a note about Amelie Brandt'),
    15_000,
  );
});

test('what another site posts is refused', async () => {
  const agent = await reception();
  await agent.post('/sign-out').set('Sec-Fetch-Site', 'cross-site').expect(403);
  await agent.get('/patients').expect(200);
});

test('the administration is for administrators, who see live sessions and can end them', async () => {
  const visitor = await reception();
  await visitor.get('/administration').accept('html').expect(403);

  const administrator = await manager();
  const { body } = await administrator.get('/administration/live?after=0').accept('json').expect(200);
  expect(body.sessions).toContainEqual(
    expect.objectContaining({
      user: 'Nora Lind',
      limits: { warnAfter: 540, expireAfter: 600, maxLifetime: null },
    }),
  );
  expect(body.sessions).toContainEqual(
    expect.objectContaining({
      user: 'Samir Haddad',
      limits: { warnAfter: 1080, expireAfter: 1200, maxLifetime: null },
    }),
  );
  expect(body.events).toContainEqual(expect.objectContaining({ kind: 'start', user: 'Nora Lind' }));

  await administrator
    .post('/administration/end-sessions')
    .type('form')
    .send({ user: 'reception' })
    .expect(303);
  await visitor.get('/patients').accept('html').expect(303);
  expect((await visitor.get('/sign-in')).text).toContain('You were signed out by the administration');
  expect((await visitor.get('/sign-in')).text).not.toContain('You were signed out');
});

test('the stream of news is closed when its session ends', async () => {
  const agent = await reception();
  const news = await followNews(agent);

  await agent.post('/sign-out').expect(303);

  await eventually('the stream closed', () => news.closed, 5000);
});
