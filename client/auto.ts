import { start } from './index.js';

// The script tag is the whole integration: the routes are where the script came from.
const script = document.currentScript as HTMLScriptElement | null;
start({ path: script?.src.replace(/\/[^/]*$/, ''), owner: script?.dataset['owner'] });
