/** The form that a field belongs to, by its place or by its `form` attribute; editable elements belong by their place. */
export const formOf = (field: Element): HTMLFormElement | null =>
  (field as HTMLInputElement).form ?? field.closest('form');

/** Which fields of the page differ from what was loaded, and which forms a person has changed. */
export interface FormChanges {
  /** Forms on the page that a person has changed and that were not cleaned since. */
  dirtyForms: () => HTMLFormElement[];
  /** Changed fields on the page, of dirty forms and outside of all forms. */
  fields: () => HTMLElement[];
  /** Counts a field as changed by a person, although a script filled it in. */
  mark: (field: HTMLElement) => void;
  /** What is in the form now is what it should be; without a form: everywhere. */
  clean: (form?: HTMLFormElement | null) => void;
}

interface Scope {
  byPerson: boolean;
  fields: Set<HTMLElement>;
}

/**
 * Follows changes by events. Only trusted `input` makes dirty: what a script fills in is no work that could be lost; but
 * once a person has begun, what widgets fill in (and tell by events) belongs to the work.
 *
 * @param onChange something was changed or cleaned
 */
export function followFormChanges(onChange: () => void, signal: AbortSignal): FormChanges {
  /** By form; under `null` the fields outside of all forms. */
  const scopes = new Map<HTMLFormElement | null, Scope>();

  const add = (field: HTMLElement, byPerson: boolean): void => {
    const form = formOf(field);
    const scope = scopes.get(form) ?? { byPerson: false, fields: new Set() };
    scope.byPerson ||= byPerson;
    scope.fields.add(field);
    scopes.set(form, scope);
    onChange();
  };
  const clean: FormChanges['clean'] = (form) => {
    if (form === undefined) scopes.clear();
    else scopes.delete(form);
    onChange();
  };
  const onPage = (): [HTMLFormElement | null, Scope][] =>
    [...scopes].filter(([form, { byPerson }]) => byPerson && (form?.isConnected ?? true));

  const follow = ({ type, target, isTrusted }: Event): void => {
    if (target instanceof HTMLElement) add(target, isTrusted && type === 'input');
  };
  addEventListener('input', follow, { capture: true, signal });
  addEventListener('change', follow, { capture: true, signal });
  addEventListener(
    'reset',
    (event) => {
      if (!event.defaultPrevented) clean(event.target as HTMLFormElement);
    },
    { signal },
  );
  return {
    dirtyForms: () => onPage().flatMap(([form]) => form ?? []),
    fields: () =>
      onPage()
        .flatMap(([, { fields }]) => [...fields])
        .filter(({ isConnected }) => isConnected),
    mark: (field) => add(field, true),
    clean,
  };
}
