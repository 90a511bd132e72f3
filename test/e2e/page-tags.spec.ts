import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import view from '@fastify/view';
import { Controller, Get, Header, type INestApplication, Render, StreamableFile } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import handlebars from 'handlebars';
import hbs from 'hbs';
import pug from 'pug';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import { ADAPTER } from '../support/adapters.js';
import { type Browser, WatchedApp } from '../support/watched-app.js';

const TEMPLATES = fileURLToPath(new URL('../support/templates', import.meta.url));
const PAGE =
  '<!doctype html><html><head lang="en"><title>$& €</title></head><body><header></header></body></html>';
/** Begins like others, and shows what somebody has searched for; cut where its head begins. */
const QUOTING = [
  '<!-- <head> --><html><head data-title="a > b">',
  '<title>session-security</title><!-- <script src="/session-security/client.js"></script> --></head>' +
    '<body><textarea><script src="/session-security/client.js"></textarea>/session-security/client.js</body></html>',
] as const;

@Controller('pages')
class PagesController {
  @Get('text')
  @Header('Content-Type', 'text/html; charset=utf-8')
  text(): string {
    return PAGE;
  }

  @Get('tagged')
  @Header('Content-Type', 'text/html; charset=utf-8')
  tagged(): string {
    return PAGE.replace('</head>', '<script src="/session-security/client.js" defer></script></head>');
  }

  @Get('quoting')
  @Header('Content-Type', 'text/html; charset=utf-8')
  quoting(): string {
    return QUOTING.join('');
  }

  @Get('fragment')
  @Header('Content-Type', 'text/html; charset=utf-8')
  fragment(): string {
    return '<header>A part of a page</header>';
  }

  @Get('plain')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  plain(): string {
    return PAGE;
  }

  @Get('json')
  json(): object {
    return { page: PAGE };
  }

  @Get('file')
  file(): StreamableFile {
    return new StreamableFile(Buffer.from(PAGE), { type: 'text/html; charset=utf-8' });
  }

  @Get('template')
  @Render('page')
  template(): object {
    return { title: 'Ward & <all>', nonce: 'n"1' };
  }
}

let desk: WatchedApp;
afterEach(() => desk.close());

async function start(
  security: SessionSecurityOptionsInput,
  prepare: (app: INestApplication) => void = () => undefined,
): Promise<Browser> {
  desk = await WatchedApp.start({
    security,
    controllers: [PagesController],
    configure: (app, useSession) => {
      useSession();
      prepare(app);
    },
  });
  return desk.signedIn();
}

const shown = async (browser: Browser, page: string) => browser.get(`/pages/${page}`).expect(200);
const ownerIn = async (browser: Browser): Promise<string> =>
  ((await browser.state()) as { owner: string }).owner;

describe('the tag in pages that do not write it', () => {
  it('is put into the head, with the owner of the page, and the length is right', async () => {
    const browser = await start({ injectTag: true });
    const { text, headers } = await shown(browser, 'text');
    const [, tag] = /^<!doctype html><html><head lang="en">(<script [^>]*><\/script>)<title>/.exec(text)!;
    expect(tag).toMatch(/ src="\/session-security\/client\.js\?v=[\w-]+"/);
    expect(tag).toContain(` data-owner="${await ownerIn(browser)}"`);
    expect(text.replace(tag!, '')).toBe(PAGE);
    expect(Number(headers['content-length'])).toBe(Buffer.byteLength(text));
  });

  it('is put into the head of a page that only names the head and the script elsewhere', async () => {
    const browser = await start({ injectTag: true });
    const { text } = await shown(browser, 'quoting');
    const [head, rest] = QUOTING;
    expect([text.slice(0, head.length), text.slice(-rest.length)]).toEqual([head, rest]);
    expect(text.slice(head.length, -rest.length)).toMatch(
      /^<script src="[^"]+" data-owner="[^"]+" defer><\/script>$/,
    );
  });

  it('says what the application wants it to, page by page', async () => {
    const browser = await start({
      injectTag: ({ url }) => (url.endsWith('/text') ? { nonce: 'abc', guard: true } : false),
    });
    expect((await shown(browser, 'text')).text).toMatch(
      /<script [^>]* nonce="abc" data-session-guard="" defer>/,
    );
    expect((await shown(browser, 'tagged')).text).not.toContain('data-owner');
  });

  it.each(['tagged', 'fragment', 'plain', 'json', 'file'])('leaves %s as it is', async (page) => {
    const browser = await start({});
    const before = await shown(browser, page);
    await desk.close();
    const after = await shown(await start({ injectTag: true }), page);
    expect([after.text, after.body]).toEqual([before.text, before.body]);
    expect(String(after.text ?? after.body)).not.toContain('data-owner');
  });

  it('is not there unless it is asked for', async () => {
    expect((await shown(await start({}), 'text')).text).toBe(PAGE);
  });
});

/** How an application on either adapter is given its templates. */
const ENGINES: Record<string, (app: INestApplication) => void> = {
  hbs: (app) =>
    ADAPTER === 'express'
      ? useExpressViews(app as NestExpressApplication, 'hbs', expressEngineOf(hbs))
      : useFastifyViews(app as NestFastifyApplication, 'hbs', { handlebars }),
  pug: (app) =>
    ADAPTER === 'express'
      ? useExpressViews(
          app as NestExpressApplication,
          'pug',
          (pug as unknown as { __express: unknown }).__express,
        )
      : useFastifyViews(app as NestFastifyApplication, 'pug', { pug }),
};

/** As Express itself finds the engine of an extension. */
function expressEngineOf(module: unknown): unknown {
  return (module as { __express: unknown }).__express;
}

function useExpressViews(app: NestExpressApplication, extension: string, engine: unknown): void {
  app.engine(extension, engine);
  app.setBaseViewsDir(TEMPLATES);
  app.setViewEngine(extension);
}

function useFastifyViews(app: NestFastifyApplication, extension: string, engine: object): void {
  void app.register(view, { engine, root: TEMPLATES, viewExt: extension });
}

describe.each(Object.entries(ENGINES))('the helper in templates of %s', (_, prepare) => {
  it('writes the tag, with what the template says', async () => {
    const browser = await start({ tagHelper: 'sessionTag' }, prepare);
    const { text } = await shown(browser, 'template');
    const owner = await ownerIn(browser);
    const tags = text.match(/<script [^>]*><\/script>/g)!;
    expect(tags).toHaveLength(2);
    expect(tags[0]).toMatch(
      new RegExp(
        `^<script src="/session-security/client\\.js\\?v=[\\w-]+" data-owner="${owner}" defer></script>$`,
      ),
    );
    expect(tags[1]).toContain(' nonce="n&quot;1" data-session-draft="automatic" ');
    expect(text).toContain('Ward &amp; &lt;all&gt;');
  });

  it('is enough: nothing is put in beside it', async () => {
    const browser = await start({ tagHelper: 'sessionTag', injectTag: true }, prepare);
    expect((await shown(browser, 'template')).text.match(/<script /g)).toHaveLength(2);
  });
});
