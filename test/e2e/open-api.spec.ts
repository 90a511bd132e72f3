import { afterEach, describe, expect, it } from '@jest/globals';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { SessionSecurityOptionsInput } from '../../lib/index.js';
import { WatchedApp } from '../support/watched-app.js';

let desk: WatchedApp;
afterEach(() => desk.close());

async function documentOf(security: SessionSecurityOptionsInput): Promise<OpenAPIObject> {
  desk = await WatchedApp.start({ security });
  return SwaggerModule.createDocument(desk.app, new DocumentBuilder().build());
}

describe('the OpenAPI document of an application', () => {
  it('has nothing of the module unless it is asked for', async () => {
    const { paths } = await documentOf({});
    expect(Object.keys(paths)).toContain('/whoami');
    expect(Object.keys(paths).filter((path) => path.startsWith('/session-security'))).toEqual([]);
  });

  it('has ping and client script if it is asked for them', async () => {
    const { paths } = await documentOf({ openApi: true, path: 'watch' });
    expect(Object.keys(paths).filter((path) => path.startsWith('/watch'))).toEqual([
      '/watch/ping',
      '/watch/end',
      '/watch/client.js',
      '/watch/client/{name}',
    ]);
    const { get, post } = paths['/watch/ping']!;
    expect(get).toMatchObject({ tags: ['session-security'], summary: expect.stringMatching(/no activity/) });
    expect(get!.parameters).toEqual(
      ['start', 'drafts', 'language'].map((name) =>
        expect.objectContaining({
          name,
          in: 'query',
          required: false,
          schema: expect.objectContaining({ type: 'string' }),
        }),
      ),
    );
    expect(post!.requestBody).toEqual({
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: { idleFor: expect.objectContaining({ type: 'number', minimum: 0 }) },
          },
        },
      },
    });
    expect(Object.keys(post!.responses)).toEqual(['200', '400', '403', '503']);
  });
});
