/**
 * Runs `work` unless another tab of this browser runs its own under the same name; answers whether it did. Pages on
 * plain http have no locks: there each tab works alone.
 */
export async function tabLock(name: string, work: () => Promise<void>): Promise<boolean> {
  if (navigator.locks)
    return navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await work();
      return !!lock;
    });
  await work();
  return true;
}
