/**
 * What the browser's own style of a dialog lacks. System colours follow light, dark and forced colours by themselves; an
 * application styles the element (font, color-scheme) and its parts.
 */
export const STYLE =
  'dialog{width:27em;border-radius:.5em;box-sizing:border-box;border:1px solid;visibility:visible}' +
  'button{margin:0 .5em .5em 0;font:inherit;padding:.5em 1em}' +
  ':host{display:block!important;font:1rem/1.5 system-ui;color-scheme:light dark}' +
  '.covered>:not(#error){display:none}' +
  'h2,p{margin:0 0 .5em}' +
  '#clock{font-size:2em}' +
  '#status{position:absolute;clip-path:inset(50%)}' +
  '::backdrop{background:#0009}';
