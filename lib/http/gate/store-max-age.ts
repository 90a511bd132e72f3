/** Milliseconds for which the well-known stores keep a session whose cookie has no age of its own, `null` if not known. */
export function maxAgeIn(store: object): number | null {
  const seconds = lifetimeIn(store);
  return typeof seconds === 'number' ? seconds * 1000 : null;
}

/**
 * For how many milliseconds a store surely keeps a session after a touch; 0 if that is not known.
 *
 * @param cookieAge of the session's cookie, in milliseconds, `null` if it has none
 */
export function keptFor(store: object, cookieAge: number | null): number {
  const told = lifetimeIn(store);
  // Stores count by a function's answer, and `memorystore` by milliseconds, whatever the cookie says.
  if (typeof told === 'function' || (told !== undefined && isMemoryStore(store))) return 0;
  const ages = [maxAgeIn(store), cookieAge].filter((age) => age !== null);
  if (ages.length > 0) return Math.min(...ages);
  return isMemoryStore(store) && 'sessions' in store ? Infinity : 0;
}

function lifetimeIn(store: object): unknown {
  const { ttl, options } = store as { ttl?: unknown; options?: { ttl?: unknown } };
  return ttl ?? options?.ttl;
}

/** express-session's own, which keeps a session without an age for ever, or the package `memorystore`. */
function isMemoryStore(store: object): boolean {
  return store.constructor.name === 'MemoryStore';
}
