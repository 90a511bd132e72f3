/**
 * What the browser's own style of a dialog lacks. System colours follow light, dark and forced colours by themselves; an
 * application styles the element (font, color-scheme) and its parts.
 */
export const STYLE =
  ':host{display:block!important;color-scheme:light dark;font:1rem/1.5 system-ui}' +
  'dialog{visibility:visible;box-sizing:border-box;inline-size:27em;border:1px solid;border-radius:8px}' +
  'h2,p{margin:0 0 .5em}' +
  '::backdrop{background:#0009}' +
  '#clock{font-size:2em}' +
  '#status{position:absolute;clip-path:inset(50%)}' +
  'button{font:inherit;padding:.5em 1em;margin:0 .5em .5em 0}' +
  '.covered>:not(#error){display:none}';
