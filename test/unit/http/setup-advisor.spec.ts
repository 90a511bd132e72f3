import { afterEach, describe, expect, it } from '@jest/globals';
import fastifySession from '@fastify/session';
import { ApplicationConfig } from '@nestjs/core';
import { MemoryStore } from 'express-session';
import { Subject } from 'rxjs';
import { StoreFailure } from '../../../lib/activity/store-calls.js';
import type { RequestSession } from '../../../lib/http/session-platform.js';
import { SetupAdvisor } from '../../../lib/http/setup-advisor.js';
import { SessionSecurityOptions, type SessionSecurityOptionsInput } from '../../../lib/options/index.js';
import { keptMessages } from '../../support/kept-messages.js';

const session: RequestSession = { id: 'an id', data: {}, cookieMaxAge: null, storeMaxAge: null, cookie: {} };

describe('the advisor', () => {
  const said = keptMessages();

  const open = (given: SessionSecurityOptionsInput = {}, store: object = {}) => {
    const signals = new Subject<{ kind: string }>();
    const options = Object.assign(new SessionSecurityOptions(), given);
    const advisor = new SetupAdvisor(
      options,
      new ApplicationConfig(),
      { store } as never,
      {
        signals,
      } as never,
    );
    return { advisor, warn: () => signals.next({ kind: 'warn' }) };
  };

  it('says once what does nothing for users without an id', () => {
    const { advisor } = open();
    advisor.watching(session, 'anna');
    expect(said).toEqual([]);
    advisor.watching(session, undefined);
    advisor.watching(session, undefined);
    expect(said).toEqual([expect.stringMatching(/whose id is not known: maxSessionsPerUser, .*identify: /)]);
    expect(said[0]).not.toMatch('lock');
  });

  it('counts the locked page among it, and tells who answers no id', () => {
    open({ identify: () => undefined, client: { onExpire: 'lock' } }).advisor.watching(session, undefined);
    expect(said).toEqual([expect.stringMatching(/identify answers no id: .*client\.onExpire: 'lock'/)]);
  });

  it.each([
    ['express-session', new MemoryStore()],
    ['@fastify/session', new fastifySession.MemoryStore()],
  ])('says that shared records are of no use with the memory of %s', (_, memory) => {
    const shared = { store: {} as never };
    open(shared).advisor.watching(session, 'anna');
    open({}, memory).advisor.watching(session, 'anna');
    expect(said).toEqual([]);
    open(shared, memory).advisor.watching(session, 'anna');
    expect(said).toEqual([expect.stringMatching(/memory of this process.*session\(\{ store \}\)/)]);
    expect(() => open({ ...shared, strict: true }, memory).advisor.watching(session, 'anna')).toThrow(
      /memory/,
    );
  });

  it('says of a store that fails what requests are answered', () => {
    const failure = new StoreFailure('no answer');
    open().advisor.undecided(failure);
    open({ onStoreFailure: 'unavailable' }).advisor.undecided(failure);
    open({ onStoreFailure: 'unavailable' }).advisor.undecided(new Error('a bug'));
    expect(said).toEqual([
      'Requests are answered as for nobody, no session is ended: no answer',
      'Requests are answered 503, no session is ended: no answer',
      'Requests are answered as for nobody, no session is ended: a bug',
    ]);
  });

  it('asks for the client script, and thinks of a policy that blocks it', () => {
    const { warn } = open();
    warn();
    expect(said).toEqual([
      expect.stringMatching(/is the client script on the pages\?.*content security policy/),
    ]);
  });

  it('says where the client script belongs that has only pinged as nobody', () => {
    const { advisor, warn } = open();
    advisor.pingedAsNobody();
    warn();
    expect(said).toEqual([expect.stringMatching(/pinged as nobody.*start\(\) after the sign-in.*Secure/)]);
  });

  describe('of keys of drafts that are random', () => {
    const { NODE_ENV } = process.env;
    afterEach(() => {
      process.env['NODE_ENV'] = NODE_ENV;
    });

    it('says once, in production, that they do not survive a restart', () => {
      process.env['NODE_ENV'] = 'production';
      const { advisor } = open();
      expect(said).toEqual([]);
      advisor.grantingDrafts();
      advisor.grantingDrafts();
      expect(said).toEqual([
        expect.stringMatching(
          /drafts do not survive a restart .*held back.*Set secret .*at least 32 characters/,
        ),
      ]);
    });

    it('says nothing with a secret, nor while the application is developed', () => {
      open().advisor.grantingDrafts();
      process.env['NODE_ENV'] = 'production';
      open({ secret: 'a secret of 32 characters at least' }).advisor.grantingDrafts();
      expect(said).toEqual([]);
    });
  });

  it('says once what reads the sessions of sockets', () => {
    const { advisor } = open();
    advisor.unreadSocket();
    advisor.unreadSocket();
    expect(said).toEqual([expect.stringMatching(/closeWithSession\(socket, request, readSession\)/)]);
  });
});
