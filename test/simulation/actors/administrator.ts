import type { Random } from '../world/random.js';
import { drawLimits } from '../world/settings.js';
import type { World } from '../world/world.js';

const USERS = ['anna', 'ben', 'cleo'];

/** Revokes sessions, and changes the limits of users where the application asks for them. */
export class Administrator {
  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  begin(until: number): void {
    this.world.scheduler.after(this.random.between(1000, 60_000), 'administrator', () => {
      if (this.world.scheduler.now > until) return;
      const user = this.random.pick(USERS);
      if (this.random.chance(0.4)) this.world.revoke(user);
      else if (this.world.settings.limitsByFunction)
        this.world.userLimits.set(user, this.random.chance(0.1) ? 'never' : drawLimits(this.random));
      this.begin(until);
    });
  }

  /** Nobody stays signed in for ever. */
  closeDown(): void {
    for (const user of USERS) this.world.revoke(user);
  }
}
