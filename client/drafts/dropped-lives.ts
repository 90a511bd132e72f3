/** Where the lives of pages are noted whose drafts are not wanted any more. */
const PREFIX = 'session-security-dropped:';

/**
 * A page that goes away takes its database connection with it, and a deletion that has not begun by then is lost
 * (https://w3c.github.io/IndexedDB/#closing-connection). What is written here is written at once.
 */
export function noteDropped(life: string): void {
  try {
    localStorage.setItem(PREFIX + life, '');
  } catch {
    // The store is full, or not given to this page: then the deletion has to be in time.
  }
}

/** The page came back, or its draft is gone. */
export function forgetDropped(life: string): void {
  localStorage.removeItem(PREFIX + life);
}

export function droppedLives(): string[] {
  return Object.keys(localStorage)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length));
}
