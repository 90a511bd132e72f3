/** What a form says of itself, also where a field of that name hides it: one for the `method` of a payment, say. */
export const formProperty = <Name extends 'elements' | 'method' | 'target'>(
  form: HTMLFormElement,
  name: Name,
): HTMLFormElement[Name] => Reflect.get(HTMLFormElement.prototype, name, form);
