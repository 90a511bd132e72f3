import { firstValueFrom, from } from 'rxjs';
import { request } from '../../../sample/recipes/browser/signed-out.js';
import { signedOut } from '../../../sample/recipes/browser/signed-out-with-angular.js';
import { http } from '../../../sample/recipes/browser/signed-out-with-axios.js';

/** What Angular's client throws for a refusal. */
async function refusal(): Promise<never> {
  const response = await fetch('/api/notes');
  throw Object.assign(new Error(), { status: response.status, error: await response.json() });
}

const statusOf = (error: unknown): number | undefined => (error as { status?: number }).status;

/** Asks for something in the way of each library; answers the status that its caller is told. */
export const ask: Record<string, () => Promise<number | undefined>> = {
  fetch: () => request('/api/notes').then(statusOf),
  axios: () => http.get('/api/notes').then(statusOf, statusOf),
  Angular: () => firstValueFrom(signedOut({} as never, () => from(refusal()))).then(statusOf, statusOf),
};
