import { asksFor } from '../dom/asks-for.js';
import { formOf } from '../dom/form-changes.js';
import { formProperty } from '../dom/form-property.js';
import { isEditable } from './editable-content.js';

export const DRAFT_ATTRIBUTE = 'data-session-draft';
const NO_DRAFT_ATTRIBUTE = 'data-no-draft';

/** Types that hold no work of a person, or a secret. */
const NEVER_KEPT = ['password', 'hidden', 'submit', 'button', 'image', 'reset'];

/** Autofill tokens of secrets and of payment (https://html.spec.whatwg.org/#autofill-field), and of what asks not to be kept. */
const SECRET_TOKEN = /^(off|one-time-code|(current|new)-password|cc-.+)$/;

/** Fields that have been seen as passwords: a button may have turned them into readable text since. */
const passwords = new WeakSet<Element>();

/** Takes note of fields that are passwords now. */
export function notePassword(field: Element): void {
  const { type } = field as HTMLInputElement;
  // Some pages hide what is typed by style, so that browsers do not offer to save it.
  const masked = getComputedStyle(field).getPropertyValue('-webkit-text-security');
  if (type === 'password' || (masked && masked !== 'none')) passwords.add(field);
}

/** Fields without a token of their own take that of their form. */
function tokensOf(field: Element): string[] {
  const value = field.getAttribute('autocomplete') ?? formOf(field)?.getAttribute('autocomplete') ?? '';
  return value.toLowerCase().trim().split(/\s+/);
}

export function isSecret(field: Element): boolean {
  return (
    passwords.has(field) ||
    NEVER_KEPT.includes((field as HTMLInputElement).type) ||
    tokensOf(field).some((token) => SECRET_TOKEN.test(token)) ||
    field.closest(`[${NO_DRAFT_ATTRIBUTE}]`) !== null
  );
}

/**
 * Whether a field belongs into the draft: asked for, no secret, and not in a form that says itself to be sent by GET,
 * which is a search or a filter.
 */
export function isKept(field: Element, everywhere: boolean): boolean {
  const form = formOf(field);
  if (form?.hasAttribute('method') && formProperty(form, 'method') === 'get') return false;
  const byForm = form ? asksFor(form, DRAFT_ATTRIBUTE, everywhere) : everywhere;
  return asksFor(field, DRAFT_ATTRIBUTE, byForm) && !isSecret(field);
}

/**
 * All fields of the page under names that are the same when the page is loaded again: form, kind and name, with a number
 * where that is not enough.
 */
export function fieldsByName(): Map<string, HTMLElement> {
  const fields = new Map<string, HTMLElement>();
  for (const field of document.querySelectorAll<HTMLElement>('input,textarea,select,[contenteditable]')) {
    if (!isField(field)) continue;
    const plain = plainNameOf(field);
    let name = plain;
    for (let number = 2; fields.has(name); number++) name = `${plain} ${number}`;
    fields.set(name, field);
  }
  return fields;
}

const isField = (element: HTMLElement): boolean =>
  /^(input|textarea|select)$/.test(element.localName) || isEditable(element);

function plainNameOf(field: HTMLElement): string {
  const { type = '', value } = field as HTMLInputElement;
  const isChoice = type === 'checkbox' || type === 'radio';
  const name = field.getAttribute('name') ?? field.id;
  return JSON.stringify([formName(formOf(field)), field.localName, type, name, isChoice ? value : '']);
}

function formName(form: HTMLFormElement | null): string {
  return form?.getAttribute('id') ?? form?.getAttribute('name') ?? form?.getAttribute('action') ?? '';
}
