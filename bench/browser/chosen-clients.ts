import type { BenchedClient } from './benched-client.js';

/** The clients that the command line names; all of them when it names none. */
export function chosenClients(
  names: readonly string[],
  clients: readonly BenchedClient[],
): readonly BenchedClient[] {
  const unknown = names.find((wanted) => !clients.some(({ name }) => name === wanted));
  if (unknown !== undefined)
    throw new Error(
      `There is no client "${unknown}"; there are ${clients.map(({ name }) => name).join(', ')}.`,
    );
  return names.length > 0 ? clients.filter(({ name }) => names.includes(name)) : clients;
}
