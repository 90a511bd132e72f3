import type * as Drafts from './drafts.js';
import { start } from './index.js';

// The script tag is the whole integration: the routes are where the script came from.
const script = document.currentScript as HTMLScriptElement | null;
const path = script?.src.replace(/\/[^/]*$/, '') ?? '/session-security';
const client = start({ path, owner: script?.dataset['owner'] });
if (document.querySelector('[data-session-guard],[data-session-draft]'))
  void import(`${path}/client/drafts.js`).then((drafts: typeof Drafts) => drafts.keepForms(client, { path }));
