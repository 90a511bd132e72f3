import type { SampleSettings } from '../settings.js';

export interface DemoUser {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** In the clear, because the sign-in page of this demonstration shows it. */
  readonly password: string;
  readonly isAdministrator: boolean;
}

export const demoUsers: readonly DemoUser[] = [
  {
    id: 'reception',
    name: 'Nora Lind',
    role: 'Front desk, at the counter where patients pass by',
    password: 'good-morning',
    isAdministrator: false,
  },
  {
    id: 'manager',
    name: 'Samir Haddad',
    role: 'Practice manager, in an office with a door',
    password: 'paper-work',
    isAdministrator: true,
  },
];

export function findUser(id: string | undefined): DemoUser | undefined {
  return demoUsers.find((user) => user.id === id);
}

/** The manager's screen is not in public view, so the manager has twice the time. */
export function limitsOf(
  user: DemoUser,
  { warnAfter, expireAfter }: SampleSettings['limits'],
): SampleSettings['limits'] {
  const factor = user.isAdministrator ? 2 : 1;
  return { warnAfter: warnAfter * factor, expireAfter: expireAfter * factor };
}
