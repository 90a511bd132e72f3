/** The application's own sessions, as far as the engine touches them: it can remove one. Also the injection token. */
export abstract class SessionBlobs {
  /** Removes the session's blob from the application's session store; rejects if the store fails. */
  abstract destroy(sessionId: string): Promise<void>;
}
