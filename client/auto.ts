import { start } from './index.js';

// The script tag is the whole integration: the routes are where the script came from. Asked of the prototype, because an
// image of the page that is called `currentScript` hides the document's own property
// (https://html.spec.whatwg.org/multipage/dom.html#dom-document-nameditem).
const script = Reflect.get(Document.prototype, 'currentScript', document) as HTMLScriptElement | null;
start({ path: script?.src.replace(/\/[^/]*$/, ''), owner: script?.dataset['owner'] });
/** From where the script came; a variable, so that it is not bundled. */
const drafts = './client/drafts.js';
if (document.querySelector('[data-session-guard],[data-session-draft]')) void import(drafts);
