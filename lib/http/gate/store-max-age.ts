/** Milliseconds for which the well-known stores keep a session whose cookie has no age of its own, `null` if not known. */
export function maxAgeIn(store: object): number | null {
  const { ttl, options } = store as { ttl?: unknown; options?: { ttl?: unknown } };
  const seconds = ttl ?? options?.ttl;
  return typeof seconds === 'number' ? seconds * 1000 : null;
}
