/**
 * System colours follow light, dark and forced colours by themselves; the custom properties and parts are the
 * application's to set. Logical properties keep right-to-left right.
 */
export const STYLE = `
:host{color-scheme:var(--session-security-color-scheme,light dark);font:1rem/1.5 var(--session-security-font,system-ui,sans-serif)}
dialog{box-sizing:border-box;inline-size:26em;max-inline-size:calc(100% - 1em);max-block-size:calc(100% - 1em);overflow:auto;padding:1.5em;border:1px solid;border-radius:.5em;color:var(--session-security-color,CanvasText);background:var(--session-security-background,Canvas)}
dialog::backdrop{background:#0009}
h2,p{margin:0 0 .5em}
[part=clock]{font-size:2em;font-variant-numeric:tabular-nums}
[part=status]:not(.error){position:absolute;clip-path:inset(50%);inline-size:1px;block-size:1px;overflow:hidden;white-space:nowrap}
button{font:inherit;margin:.5em .5em 0 0;padding:.4em 1em;min-block-size:2.75em}
[hidden]{display:none}`;
