import { createFormsKeeper } from './drafts/forms-keeper.js';
import type { FormsKeeper, FormsOptions } from './drafts/forms-keeper.js';
import type { SessionSecurityClient } from './session-security-client.js';

export type { DraftNews } from './drafts/draft-event.js';
export type { FormsKeeper, FormsOptions } from './drafts/forms-keeper.js';
export type { DraftTexts } from './drafts/texts.js';

/**
 * Looks after unsaved work in forms: asks before the page is left, and keeps what was typed when the session ends until
 * the same user is back. Which forms, say the attributes `data-session-guard` and `data-session-draft` on them or around
 * them, or the options. Calling it twice answers the same keeper.
 *
 * @example
 * import { start } from 'nestjs-session-security/client';
 * import { keepForms } from 'nestjs-session-security/client/drafts';
 * const forms = keepForms(start(), { drafts: true });
 * await save(form).then(() => forms.markClean(form));
 */
export function keepForms(client: SessionSecurityClient, options: FormsOptions = {}): FormsKeeper {
  return (client.forms ??= createFormsKeeper(client, options));
}
