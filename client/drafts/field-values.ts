import { isEditable, readEditable, writeEditable } from './editable-content.js';
import type { EditableNode } from './editable-content.js';
import type { KeptFile } from './kept-file.js';

/** What can be in a field. */
export type FieldValue =
  | { text: string }
  | { checked: boolean }
  | { selected: string[] }
  | { nodes: EditableNode[] }
  | { files: KeptFile[] };

/** What is in the field now; undefined for a radio button that is not chosen, because choosing another one undoes it. */
export function readValue(field: HTMLElement): FieldValue | { chosen: File[] } | undefined {
  if (field instanceof HTMLSelectElement)
    return { selected: [...field.selectedOptions].map(({ value }) => value) };
  if (field instanceof HTMLTextAreaElement) return { text: field.value };
  if (!(field instanceof HTMLInputElement))
    return isEditable(field) ? { nodes: readEditable(field) } : undefined;
  if (field.type === 'file') return { chosen: [...(field.files ?? [])] };
  if (field.type === 'radio') return field.checked ? { checked: true } : undefined;
  return field.type === 'checkbox' ? { checked: field.checked } : { text: field.value };
}

/** Puts a value into a field as if a person had done it. Answers whether there was anything to do and it could be done. */
export function writeValue(field: HTMLElement, value: FieldValue): boolean {
  if (field.matches(':disabled')) return false;
  if ('nodes' in value) {
    writeEditable(field, value.nodes);
    tell(field, 'insertReplacementText');
  } else if ('checked' in value) {
    // Frameworks listen to different events of these; a click makes them all.
    if ((field as HTMLInputElement).checked !== value.checked) field.click();
  } else if ('selected' in value) {
    for (const option of (field as HTMLSelectElement).options)
      option.selected = value.selected.includes(option.value);
    tell(field);
  } else {
    if ('files' in value) (field as HTMLInputElement).files = fileList(value.files);
    else setText(field, value.text);
    tell(field);
  }
  return true;
}

/**
 * Frameworks put a property of their own over `value` to see what changed; only by going past it is an `input` event news
 * to them (https://github.com/facebook/react/issues/10135).
 */
function setText(field: HTMLElement, text: string): void {
  const { prototype } = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(field, text);
}

/** The only way to a list of files that a script can make (https://html.spec.whatwg.org/#dom-datatransferitemlist-add). */
function fileList(files: KeptFile[]): FileList {
  const transfer = new DataTransfer();
  for (const { name, type, lastModified, content } of files)
    transfer.items.add(new File([content], name, { type, lastModified }));
  return transfer.files;
}

function tell(field: HTMLElement, inputType?: string): void {
  field.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true, inputType: inputType ?? '' }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
}
