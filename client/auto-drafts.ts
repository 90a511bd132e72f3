import { keepForms } from './drafts.js';

// The script tag's client loads this from its own routes, when the page asks for guard or drafts.
if (globalThis.sessionSecurity)
  keepForms(globalThis.sessionSecurity, { path: import.meta.url.replace(/\/client\/[^/]*$/, '') });
