/**
 * Holds every submit of a form until it is known that it will arrive, and then sends it as it was meant, with its button.
 * Listeners of the application see only the submit that goes through.
 *
 * @param isHeld whether submits of this form are held
 * @param mayPass asks; a submit that may not pass is dropped, and the form stays as it is
 */
export function holdSubmits(
  isHeld: (form: HTMLFormElement) => boolean,
  mayPass: (form: HTMLFormElement) => Promise<boolean>,
  signal: AbortSignal,
): void {
  const asking = new WeakSet<HTMLFormElement>();
  let passing: HTMLFormElement | undefined;

  const decide = async (form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> => {
    if (asking.has(form)) return;
    asking.add(form);
    const passes = await mayPass(form);
    asking.delete(form);
    if (!passes || !form.isConnected) return;
    passing = form;
    const button = (submitter as HTMLButtonElement | null)?.form === form ? submitter : null;
    form.requestSubmit(button);
    passing = undefined;
  };
  addEventListener(
    'submit',
    (event) => {
      const form = event.target as HTMLFormElement;
      if (form === passing || !isHeld(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      void decide(form, event.submitter);
    },
    { capture: true, signal },
  );
}
