/** What a browser has sent of a form; anybody can send anything. */
export type Form = Readonly<Record<string, unknown>>;

/** The text in a field; empty if there is none. */
export function textIn(form: Form | undefined, field: string): string {
  const value = form?.[field];
  return typeof value === 'string' ? value : '';
}
