import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import type { Request } from 'express';
import { ENGLISH as DIALOG_TEXTS } from '../../../client/dialog/texts.js';
import { ENGLISH as DRAFT_TEXTS } from '../../../client/drafts/texts.js';
import { ENGLISH as LOCK_TEXTS } from '../../../client/ending/texts.js';
import {
  SessionSecurityModule,
  SessionSecurityOptionsError,
  type SessionSecurityOptionsInput,
} from '../../../lib/index.js';
import { validateOptions } from '../../../lib/options/index.js';
import { limitProblems } from '../../../lib/policy/index.js';

function problemsOf(given: unknown): readonly string[] {
  try {
    validateOptions(given as SessionSecurityOptionsInput);
  } catch (error) {
    expect(error).toBeInstanceOf(SessionSecurityOptionsError);
    return (error as SessionSecurityOptionsError).problems;
  }
  return [];
}

describe('S14 options', () => {
  it.each<[unknown, RegExp]>([
    [{ warnAfter: 600, expireAfter: 600 }, /^warnAfter \(600\) must be less than expireAfter \(600\)$/],
    [{ warnAfter: 700, expireAfter: 600 }, /^warnAfter \(700\) must be less than expireAfter \(600\)$/],
    [{ warnAfter: 0 }, /^warnAfter must be a positive number of seconds, but is 0$/],
    [{ expireAfter: -600 }, /^expireAfter must be .* -600$/],
    [
      { expireAfter: '600' },
      /^expireAfter must be .* "600", a text: write Number\(\.\.\.\) around it, environment variables are texts$/,
    ],
    [{ warnAfter: '10m' }, /^warnAfter must be a positive number of seconds, but is "10m"$/],
    [{ warnAfter: ' ' }, /^warnAfter must be a positive number of seconds, but is " "$/],
    [{ maxLifetime: '28800' }, /^maxLifetime must be .* "28800", a text: write Number/],
    [{ grace: '30' }, /^grace must be .* "30", a text: write Number/],
    [{ maxSessionsPerUser: '3' }, /^maxSessionsPerUser must be .* "3", a text: write Number/],
    [{ expireAfter: NaN }, /^expireAfter must be .* NaN$/],
    [{ expireAfter: Infinity }, /^expireAfter must be .* Infinity$/],
    [{ expireAfter: null }, /^expireAfter must be .* null$/],
    [
      { expireAfter: 10 },
      /^warnAfter \(540, the default\) must be less than expireAfter \(10\); set warnAfter too$/,
    ],
    [
      { warnAfter: 700 },
      /^warnAfter \(700\) must be less than expireAfter \(600, the default\); set expireAfter too$/,
    ],
    [
      { maxLifetime: 599 },
      /^maxLifetime \(599\) must not be less than expireAfter \(600, the default\); set expireAfter too$/,
    ],
    [
      { preset: 'pci-dss', expireAfter: 60 },
      /^warnAfter \(\d+, by preset pci-dss\) must be less than expireAfter \(60\); set warnAfter too$/,
    ],
    [{ maxLifetime: 0 }, /^maxLifetime must be .* 0$/],
    [{ expireAftr: 600 }, /^expireAftr is no option; did you mean expireAfter\?$/],
    [{ colour: 'red' }, /^colour is no option; known are warnAfter, expireAfter,/],
    [
      { warnAfter: 540_000, expireAfter: 600_000 },
      /^expireAfter is 600000 seconds, 166\.7 hours; .* write warnAfter: 540, expireAfter: 600/,
    ],
    [{ loginUrl: 'https://elsewhere.example/login' }, /^loginUrl must be a path on this site .* "https:/],
    [{ loginUrl: '//elsewhere.example' }, /^loginUrl must be a path on this site/],
    [{ loginUrl: '/\\elsewhere.example' }, /^loginUrl must be a path on this site/],
    [{ loginUrl: '/\t/elsewhere.example' }, /^loginUrl must be a path on this site/],
    [{ loginUrl: 'login' }, /^loginUrl must be a path on this site .* "login"$/],
    [{ logoutUrl: 'javascript:alert(1)' }, /^logoutUrl must be a path on this site/],
    [{ path: '/session-security/' }, /^path must be a relative route path .* "\/session-security\/"$/],
    [{ path: '' }, /^path must be a relative route path/],
    [{ injectTag: 'yes' }, /^injectTag must be true, false or a function of request and response, .* "yes"$/],
    [{ tagHelper: 'client-tag' }, /^tagHelper must be a name that templates can call, .* "client-tag"$/],
    [{ ping: false, injectTag: true }, /^ping is false, so there is no client script/],
    [{ ping: false, tagHelper: 'clientTag' }, /^ping is false, so there is no client script/],
    [{ openApi: 'yes' }, /^openApi must be a boolean/],
    [{ passive: ['poll'] }, /^passive must be a list of path patterns that begin with "\/"/],
    [{ passive: '/poll' }, /^passive must be a list/],
    [{ limits: 60 }, /^limits must be a function, but is 60$/],
    [{ passive: ['/api/*'] }, /^passive must be a list of path patterns .*, but is \["\/api\/\*"\]$/],
    [
      { warnAfter: 5, expireAfter: Number.MAX_SAFE_INTEGER },
      /^expireAfter must be at most 3153600000 seconds/,
    ],
    [{ isAuthenticated: true }, /^isAuthenticated must be a function, but is true$/],
    [{ identify: 'id' }, /^identify must be a function, but is "id"$/],
    [{ onExpired: 'redirect' }, /^onExpired is "redirect", but loginUrl does not say where to$/],
    [{ onExpired: 'explode' }, /^onExpired must be "anonymous", "reject" or "redirect", but is "explode"$/],
    [
      { onStoreFailure: 'explode' },
      /^onStoreFailure must be "anonymous" or "unavailable", but is "explode"$/,
    ],
    [{ storeTimeout: 0 }, /^storeTimeout must be a positive number of seconds, but is 0$/],
    [
      { sessionStore: 'redis' },
      /^sessionStore must be a store of express-session, an object with get, set and/,
    ],
    [{ sessionStore: class {} }, /^sessionStore must be a store of express-session/],
    [{ sessionStore: { get: () => undefined } }, /^sessionStore must be a store of express-session/],
    [{ returnParameter: 'a b' }, /^returnParameter must be the name of a query parameter, but is "a b"$/],
    [{ cookieName: '' }, /^cookieName must be/],
    [{ secret: 'short' }, /^secret must have at least 32 characters$/],
    [{ ping: 'no' }, /^ping must be a boolean/],
    [{ flushInterval: 0 }, /^flushInterval must be .* 0$/],
    [
      { client: { onExpire: 'explode' } },
      /^client\.onExpire must be "navigate", "lock" or "event", but is "explode"$/,
    ],
    [{ client: { dismiss: 'click' } }, /^client\.dismiss must be "activity" or "button", but is "click"$/],
    [{ client: { escape: 'x' } }, /^client\.escape must be "stay", "sign-out" or "ignore", but is "x"$/],
    [{ client: { onexpire: 'lock' } }, /^client\.onexpire is no option; did you mean onExpire\?$/],
    [{ client: { colour: 'red' } }, /^client\.colour is no option; known are onExpire,/],
    [
      { client: { events: ['click', 3] } },
      /^client\.events must be a list of names of events, but is \["click",3\]$/,
    ],
    [{ client: { language: '<script>' } }, /^client\.language must be/],
    [{ client: { language: 'en_US' } }, /^client\.language must be .*, but is "en_US"$/],
    [{ client: { texts: { title: 3 } } }, /^client\.texts must be .*, but is an object$/],
    [{ client: { texts: { titel: 'Hallo' } } }, /^client\.texts\.titel is no text; did you mean title\?$/],
    [
      { client: { texts: { de: { greeting: 'Hallo' } } } },
      /^client\.texts\.de\.greeting is no text; known are lang, dir, title, /,
    ],
    [{ client: { texts: { lang: 'en_US' } } }, /^client\.texts must be/],
    [{ client: { texts: { deutsch1: { title: 'Hallo' } } } }, /^client\.texts must be/],
    [{ preset: null }, /^preset must be one of .*, but is null$/],
    [{ preset: ['hipaa'] }, /^preset must be one of .*, but is \["hipaa"\]$/],
    [{ limits: null }, /^limits must be a function, but is null$/],
    [{ warnAfter: Symbol('soon') }, /^warnAfter must be .*, but is Symbol\(soon\)$/],
    [{ loginUrl: new Map() }, /^loginUrl must be .*, but is an object of class Map$/],
    [{ loginUrl: Object.create(null) }, /^loginUrl must be .*, but is an object$/],
    [{ passive: [[]] }, /^passive must be .*, but is \[a list\]$/],
    [null, /^the options must be an object, but are null$/],
    [5, /^the options must be an object, but are 5$/],
    [[], /^the options must be an object, but are \[\]$/],
    ['hipaa', /^the options must be an object, but are "hipaa"$/],
    [
      { strict: true, warnAfter: 590 },
      /^the warning lasts 10 seconds \(expireAfter 600 - warnAfter 590\); WCAG 2\.2 SC 2\.2\.1 asks for at least 20$/,
    ],
  ])('S14 %j is refused by name and value', (given, problem) => {
    expect(problemsOf(given)).toEqual([expect.stringMatching(problem)]);
  });

  it('S14 every text of the client may be given, for all languages or for one', () => {
    const texts = { ...DIALOG_TEXTS, ...LOCK_TEXTS, ...DRAFT_TEXTS };
    expect(problemsOf({ client: { texts: { ...texts, 'de-CH': texts } } })).toEqual([]);
  });

  it('S14 a big integer, which no JSON can say, is refused by name and value', () => {
    expect(problemsOf({ expireAfter: 600n })).toEqual([
      expect.stringMatching(/^expireAfter must be .* 600n$/),
    ]);
    expect(limitProblems({ warnAfter: 5n, expireAfter: 10 } as never)).toEqual([
      expect.stringMatching(/^warnAfter must be .* 5n$/),
    ]);
  });

  describe('S14 a client in place of the store', () => {
    class Redis {
      readonly options = { password: 'open sesame' };
      readonly self = this;
    }
    const secret = 'x'.repeat(32);

    it.each([
      ['a client', new Redis(), 'an object of class Redis'],
      ['its options', new Redis().options, 'an object'],
      ['its address', 'redis://:open sesame@cache', 'a string'],
      ['a list of clients', [new Redis()], '[an object of class Redis]'],
    ])('S14 %s is refused without its password', (_, store, shown) => {
      const problems = problemsOf({ store, secret });
      expect(problems).toEqual([
        expect.stringMatching(/^store must be a store that several processes share/),
      ]);
      expect(problems[0]!.endsWith(`but is ${shown}`)).toBe(true);
    });

    it('S14 and so it is in place of any other option', () => {
      const names = [
        'warnAfter',
        'expireAfter',
        'preset',
        'passive',
        'path',
        'loginUrl',
        'onExpired',
        'grace',
      ];
      const problems = problemsOf(Object.fromEntries(names.map((name) => [name, new Redis()])));
      expect(problems).toHaveLength(names.length);
      expect(problems.join()).not.toContain('sesame');
    });
  });

  it.each([
    ['forRoot(null)', () => SessionSecurityModule.forRoot(null as never)],
    ['a factory', () => SessionSecurityModule.forRootAsync({ useFactory: () => null as never })],
  ])('S14 nothing at all, by %s, is refused at boot', async (_, module) => {
    await expect(Test.createTestingModule({ imports: [module()] }).compile()).rejects.toThrow(
      'the options must be an object, but are null',
    );
  });

  it('S14 all mistakes stand in one message', () => {
    const given = { warnAfter: -1, expireAftr: 600, loginUrl: 'login' } as SessionSecurityOptionsInput;
    expect(() => validateOptions(given)).toThrow(
      /^SessionSecurityModule cannot start:\n {2}- expireAftr is no option.*\n {2}- warnAfter must be.*\n {2}- loginUrl must be/,
    );
  });

  it('S14 contradictions are named beside other mistakes', () => {
    const given = { warnAfter: 700, expireAfter: 600, loginUrl: 'login' };
    expect(problemsOf(given)).toEqual([
      expect.stringMatching(/^loginUrl must be/),
      'warnAfter (700) must be less than expireAfter (600)',
    ]);
  });

  it('functions of the request may be written for the platform request', () => {
    const isAuthenticated = (request: Request): boolean => request.path !== '/';
    expect(problemsOf({ isAuthenticated } satisfies SessionSecurityOptionsInput)).toEqual([]);
  });

  it.each<SessionSecurityOptionsInput>([
    {},
    { warnAfter: undefined, secret: undefined, client: { texts: undefined } },
    { loginUrl: '/login?kiosk=1', logoutUrl: null, maxLifetime: null },
    { warnAfter: 2_591_000, expireAfter: 2_592_000, allowLongLimits: true },
    { passive: ['/poll/:list', /^\/status/, () => true] },
  ])('S14 %j is accepted', (given) => {
    expect(problemsOf(given)).toEqual([]);
  });

  it('S14 a warning of less than 20 s is said, and used', () => {
    const { options, warnings } = validateOptions({ warnAfter: 590, expireAfter: 600 });
    expect(warnings).toEqual([expect.stringMatching(/WCAG 2\.2 SC 2\.2\.1/)]);
    expect(options.warnAfter).toBe(590);
  });

  it('S14 the application does not boot with options that cannot be used', async () => {
    const boot = Test.createTestingModule({ imports: [SessionSecurityModule.forRoot({ warnAfter: 700 })] });
    await expect(boot.compile()).rejects.toThrow(
      'warnAfter (700) must be less than expireAfter (600, the default)',
    );
  });
});

describe('the module without forRoot', () => {
  const advice = /imported without options: write SessionSecurityModule\.forRoot\(\) in the root module/;

  it('S14 is refused at boot, and it is said what to write', async () => {
    const boot = Test.createTestingModule({ imports: [SessionSecurityModule] }).compile();
    await expect(boot).rejects.toThrow(SessionSecurityOptionsError);
    await expect(boot).rejects.toThrow(advice);
  });

  it('S14 is refused beside the one that has options', async () => {
    const imports = [SessionSecurityModule.forRoot(), SessionSecurityModule];
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(advice);
  });
});

describe('forRootAsync', () => {
  const boot = (options: Parameters<typeof SessionSecurityModule.forRootAsync>[0]) =>
    Test.createTestingModule({ imports: [SessionSecurityModule.forRootAsync(options)] }).compile();

  it('S14 takes its options from a factory', async () => {
    await expect(boot({ useFactory: () => Promise.resolve({ warnAfter: 700 }) })).rejects.toThrow(
      'warnAfter (700)',
    );
    const module = await boot({ useFactory: () => ({ warnAfter: 100, expireAfter: 200 }) });
    await module.close();
  });

  it('S14 takes them from a class', async () => {
    class Settings {
      createSessionSecurityOptions(): SessionSecurityOptionsInput {
        return { warnAfter: 700 };
      }
    }
    await expect(boot({ useClass: Settings })).rejects.toThrow('warnAfter (700)');
  });

  it('S14 a path that the factory answers too late is named', async () => {
    await expect(boot({ useFactory: () => ({ path: 'watch' }) })).rejects.toThrow(
      'path must be given to forRootAsync itself, beside the factory: forRootAsync({ path: "watch", ... })',
    );
    const module = await boot({ path: 'watch', useFactory: () => ({}) });
    await module.close();
  });
});
