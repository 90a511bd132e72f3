/** What the server answers to a request whose session has ended. */
interface SignedOut {
  readonly code: 'session_expired';
  readonly loginUrl: string | null;
}

export function isSignedOut(problem: unknown): problem is SignedOut {
  return (problem as Partial<SignedOut> | null | undefined)?.code === 'session_expired';
}

/** By loading a page, so that nothing that was fetched for one user is left for the next. */
export function leaveForSignIn({ loginUrl }: SignedOut): void {
  if (loginUrl === null) return location.reload();
  const target = new URL(loginUrl, location.origin);
  target.searchParams.set('returnTo', location.pathname + location.search + location.hash);
  location.replace(target);
}

/** `fetch` for the application's own addresses. */
export async function request(address: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  if (response.status !== 401) return response;
  const copy = response.clone();
  const problem: unknown = await copy.json().catch(() => undefined);
  if (isSignedOut(problem)) leaveForSignIn(problem);
  return response;
}
