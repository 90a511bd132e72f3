/** Whatever a store's method is called on and given. */
type Method = (this: unknown, ...given: unknown[]) => unknown;

/** A method that stands, or stood, before a store's own. */
interface Decoration {
  isRemoved: boolean;
  /** What the store had of its own before; nothing where its class's method showed. */
  readonly before: PropertyDescriptor | undefined;
}

/** By the methods that have been put before those of stores, by whichever gate. */
const decorations = new WeakMap<object, Decoration>();

/**
 * Puts methods before those of a store. Others may put theirs before these in turn, such as the gate of another
 * application on the same store, and may leave sooner or later than these. So what is removed from beneath others hands
 * everything on, and is taken away when they are gone too.
 */
export class StoreDecorator<Store extends object> {
  readonly #own = new Map<keyof Store, Decoration>();

  constructor(private readonly store: Store) {}

  put<Name extends keyof Store>(name: Name, method: NonNullable<Store[Name]>): void {
    const beneath = this.store[name] as Method;
    const above = method as Method;
    const decoration: Decoration = {
      isRemoved: false,
      before: Object.getOwnPropertyDescriptor(this.store, name),
    };
    const standing: Method = function (...given) {
      return (decoration.isRemoved ? beneath : above).apply(this, given);
    };
    decorations.set(standing, decoration);
    this.#own.set(name, decoration);
    this.store[name] = standing as Store[Name];
  }

  /** Puts back what the instance had of its own, so that its class's methods show again where it had nothing. */
  remove(): void {
    for (const decoration of this.#own.values()) decoration.isRemoved = true;
    for (const name of this.#own.keys()) uncover(this.store, name);
  }
}

/** Takes away what has been removed and has nothing before it any more. */
function uncover(store: object, name: PropertyKey): void {
  for (;;) {
    const present = Object.getOwnPropertyDescriptor(store, name);
    const decoration = decorations.get(present?.value as object);
    if (!decoration?.isRemoved) return;
    if (decoration.before) Object.defineProperty(store, name, decoration.before);
    else Reflect.deleteProperty(store, name);
  }
}
