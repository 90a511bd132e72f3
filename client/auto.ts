import { start } from './index.js';

// The script tag is the whole integration: the routes are where the script came from.
const script = document.currentScript as HTMLScriptElement | null;
start({ path: script?.src.replace(/\/[^/]*$/, ''), owner: script?.dataset['owner'] });
/** From where the script came; a variable, so that it is not bundled. */
const drafts = './client/drafts.js';
if (document.querySelector('[data-session-guard],[data-session-draft]')) void import(drafts);
