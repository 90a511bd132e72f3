import { isAmount, isLive, parseAnswer, readReply } from './answer.js';
import type { EndReason, LiveAnswer, PingAnswer, Reply, StartValues } from './answer.js';
import type { MonitorPorts, Phase, TabChannel } from './ports.js';
import { steadyClock } from './steady-clock.js';

/** A delay above this fires at once instead of late (https://bugzilla.mozilla.org/show_bug.cgi?id=795373). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LONGEST_REQUEST_MS = 10_000;
const LONGEST_BACK_OFF_MS = 60_000;
/** Activity is told to the other tabs at most once in this time. */
const BROADCAST_EVERY_MS = 1000;
/** A round trip counts in full for what is promised to the person, but delays warning and cover no longer than this. */
const LONGEST_LATENESS_MS = 1000;
/** Less than this left after an answer: stay covered rather than show the page for an instant. */
const NOT_WORTH_SHOWING_MS = 500;
/** Instants that came by different ways and are this close are the same. */
const SAME_MS = 50;
/** Without a channel to the other tabs, the server is asked this often during a warning. */
const ASK_ALONE_EVERY_MS = 4000;

/** What a tab tells the others. */
interface TabMessage {
  /** How long ago the last activity was, in milliseconds; Infinity when it knows of none. */
  idle: number;
  /** The sender's wall clock, so that a message that slept with the machine is not taken for news. */
  wall: number;
  answer?: PingAnswer;
  /** How long the answer took, in milliseconds. */
  roundTrip?: number;
}

/**
 * Decides when this tab asks the server, warns, covers its content and ends.
 *
 * The server decides whether a session lives; all deadlines come from its answers. Local activity only raises `#last`,
 * which the next ping tells. That ping goes out shortly before the warning is due, so there is one per warning period,
 * and none but the earliest tab sends it: it holds the lock and broadcasts the answer. There is no leader and no vote:
 * a tab that hears nothing asks on its own.
 *
 * Every wake signal ends in `#judge`, which looks at all deadlines anew and sets one timer to the next of them.
 */
export class SessionMonitor {
  readonly #ports: MonitorPorts;
  readonly #now: () => number;
  readonly #expectedOwner: string | undefined;
  /** Spreads what several tabs do at the same deadline. */
  readonly #spread: number;

  #phase: Phase = 'starting';
  #owner: string | undefined;
  #settings!: Pick<StartValues, 'application' | 'dismiss'>;
  #channel: TabChannel | undefined;
  #siblings: TabChannel | undefined;
  #timer: unknown;

  // Instants in milliseconds on the steady clock.
  /** Newest known activity of the person, in any tab. */
  #last = -Infinity;
  /** Newest activity that the server knows of. */
  #told = -Infinity;
  #warnAt = Infinity;
  /** When the session has ended on the server for certain. */
  #endAt = Infinity;
  /** Until when the person can safely answer the warning: the network is taken off. */
  #deadline = Infinity;
  #answeredAt = -Infinity;
  /** The warning waits until then for an answer that will probably call it off. */
  #holdUntil = -Infinity;
  /** No request before; set by back-off and while another tab asks. */
  #retryAt = -Infinity;
  /** No request before, because the server said so. */
  #retryAfter = -Infinity;
  /** The request under way is given up then. */
  #busyUntil = Infinity;
  #postedAt = -Infinity;

  /** Time limit of a request, inside the warning period, so that there is room for another. */
  #limit = LONGEST_REQUEST_MS;
  /** How long before the warning the server is asked. */
  #lead = 0;
  /** Counts requests, so that a late failure of an older one is not taken for the newest. */
  #attempt = 0;
  #failures = 0;
  /** The newest activity comes from this tab. */
  #own = false;
  /** The request under way tells activity. */
  #telling = false;
  /** Another tab held the lock and gave no answer: ask without. */
  #alone = false;
  /** The absolute limit comes first, so activity cannot move the deadline. */
  #lifetime = false;
  /** The session may have changed hands. */
  #doubt = false;
  #shown = -1;

  /**
   * @param ports what the monitor needs from the world
   * @param expectedOwner the owner for whom the page was rendered; when the server names another, the page is stale
   */
  constructor(ports: MonitorPorts, expectedOwner?: string) {
    this.#ports = ports;
    this.#now = steadyClock(ports.clock);
    this.#expectedOwner = expectedOwner;
    this.#spread = ports.random();
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Seconds that the person can count on, 0 when there are none; Infinity when nothing is watched. */
  get remaining(): number {
    return Math.max(0, Math.ceil((this.#deadline - this.#now()) / 1000));
  }

  /** Asks the server who this is and what the limits are. */
  start(): void {
    this.#judge();
  }

  /** The person did something. Expiry is checked before it is counted. */
  activity(): void {
    if (!this.#watching) return;
    const now = this.#now();
    if (now >= this.#endAt) return this.#judge();
    const warning = this.#phase === 'warning';
    if (warning && (this.#lifetime || this.#settings.dismiss === 'button')) return;
    this.#last = now;
    this.#own = true;
    if (now - this.#postedAt >= BROADCAST_EVERY_MS) this.#post();
    // In the warning, this tab keeps its dialog until the server has answered; the others go by the message.
    if (!warning && now >= this.#warnAt - this.#lead) this.#judge();
    if (warning && now >= this.#retryAt) this.#tell();
  }

  /** The person wants to stay. Only the server's answer ends the warning. */
  stay(): void {
    if (this.#phase !== 'warning') return this.activity();
    if (this.#lifetime) return;
    this.#last = this.#now();
    this.#own = true;
    this.#tell();
  }

  /** Ends the session on the server. Answers whether that worked. */
  async signOut(): Promise<boolean> {
    const reply = await this.#send('end', {});
    const answer = readReply(reply);
    const over = !!answer && !isLive(answer);
    if (over) this.#end('logout', answer.redirectTo, true);
    else this.#ports.notify('error', { request: 'end', status: reply?.status ?? 0 });
    return over;
  }

  /** Something may have happened to time or network: focus, visibility, thaw, online. */
  wake(): void {
    if (this.#failures) this.#retryAt = this.#retryAfter;
    this.#judge();
  }

  /** The page goes away, for good or into the back/forward cache. A message to a cached page would evict it. */
  suspend(): void {
    if (this.#watching && this.#own && this.#last > this.#told) {
      this.#post();
      void this.#send('ping', this.#news(), true);
    }
    this.#close();
  }

  /** The page comes out of the back/forward cache: nothing is shown before the server has answered. */
  restore(): void {
    if (!this.#watching && this.#phase !== 'covered') return;
    this.#open();
    this.#busyUntil = Infinity;
    this.#attempt++;
    this.#retryAt = this.#retryAfter;
    this.#cover();
    this.#judge();
  }

  /** Stops for good. What has ended stays covered. */
  destroy(): void {
    if (this.#phase !== 'expired') this.#ports.uncover();
    this.#stop('inert');
  }

  get #watching(): boolean {
    return this.#phase === 'active' || this.#phase === 'warning';
  }

  get #over(): boolean {
    return this.#phase === 'inert' || this.#phase === 'expired';
  }

  #stop(phase: Phase): void {
    this.#phase = phase;
    this.#ports.timers.clear(this.#timer);
    this.#close();
    this.#ports.rest();
  }

  /** @param mayAsk false in a message handler: it runs in a frozen page too, which would take the lock and keep it */
  #judge(mayAsk = true): void {
    if (this.#over) return;
    const now = this.#now();
    if (now >= this.#busyUntil) this.#fail();
    if (now >= this.#endAt) this.#cover();
    if (mayAsk && now >= this.#nextAskAt()) this.#ask();
    if (this.#watching) {
      if (now >= Math.max(this.#warnAt, this.#holdUntil)) this.#warn();
      else if (this.#phase === 'warning') this.#resume();
    }
    this.#arm(now);
  }

  /** One timer to the next moment at which anything could change. */
  #arm(now: number): void {
    const { timers } = this.#ports;
    timers.clear(this.#timer);
    if (this.#over) return;
    let next = Math.min(this.#busyUntil, this.#nextAskAt());
    if (this.#watching) next = Math.min(next, this.#endAt);
    if (this.#phase === 'active') next = Math.min(next, Math.max(this.#warnAt, this.#holdUntil));
    if (this.#phase === 'warning' && this.#ports.isVisible() && this.#shown > 0)
      next = Math.min(next, this.#deadline - (this.#shown - 1) * 1000);
    if (next < Infinity)
      this.#timer = timers.set(
        () => this.#judge(),
        Math.min(Math.max(0, Math.ceil(next - now)), LONGEST_TIMER_MS),
      );
  }

  #nextAskAt(): number {
    if (this.#busyUntil < Infinity) return Infinity;
    if (!this.#watching || this.#doubt) return this.#retryAt;
    const news = this.#last > this.#told && !this.#lifetime;
    if (this.#phase === 'warning') {
      if (this.#failures || news) return this.#retryAt;
      // Nobody can tell this tab that the warning was called off in another.
      return this.#channel ? Infinity : this.#answeredAt + ASK_ALONE_EVERY_MS;
    }
    // The tab with the newest activity asks first: only it can tell exactly.
    const askAt = this.#warnAt - this.#lead * (this.#own ? 1 : (1 + this.#spread) / 4);
    return news || this.#answeredAt < askAt - this.#lead ? Math.max(askAt, this.#retryAt) : Infinity;
  }

  #warn(): void {
    const remaining = this.remaining;
    if (this.#phase === 'active') {
      this.#phase = 'warning';
      this.#ports.notify('warn', { reason: this.#lifetime ? 'lifetime' : 'idle', remaining });
    } else if (remaining !== this.#shown && this.#ports.isVisible()) {
      this.#ports.notify('tick', { remaining });
    }
    this.#shown = remaining;
  }

  #resume(): void {
    this.#phase = 'active';
    this.#ports.notify('active', null);
  }

  #cover(): void {
    if (!this.#watching) return;
    this.#phase = 'covered';
    this.#ports.cover();
  }

  /** Tells the activity of this tab at once, even while an ask that tells nothing is under way. */
  #tell(): void {
    if (this.#busyUntil < Infinity && this.#telling) return;
    this.#ask(true);
    this.#arm(this.#now());
  }

  /** @param direct without the lock: the person is waiting, and acts in one tab only */
  #ask(direct = this.#phase === 'starting' || this.#alone): void {
    const now = this.#now();
    const attempt = ++this.#attempt;
    this.#busyUntil = now + this.#limit;
    if (this.#phase === 'active' && !this.#failures && this.#holdUntil < 0)
      this.#holdUntil =
        now + (this.#last > this.#told ? this.#limit * 1.5 : Math.min(this.#limit, LONGEST_LATENESS_MS));
    const work = () => this.#request(attempt);
    if (direct) return void work();
    void this.#ports.lock(this.#name, work).then((asked) => {
      if (asked || attempt !== this.#attempt) return;
      // Another tab is asking. Its answer comes by the channel; a frozen one would never give any.
      this.#alone = true;
      this.#busyUntil = Infinity;
      this.#retryAt = now + this.#limit;
      this.#judge();
    });
  }

  async #request(attempt: number): Promise<void> {
    if (attempt !== this.#attempt) return;
    const sentAt = this.#now();
    const starting = this.#phase === 'starting';
    // What has ended by this clock is only asked after, never extended.
    const telling = (this.#telling = this.#watching && this.#last > this.#told);
    const last = this.#last;
    const reply = await this.#send(starting ? 'ping?start=1' : 'ping', telling ? this.#news() : undefined);
    const answer = readReply(reply);
    const newest = attempt === this.#attempt;
    if (newest) this.#busyUntil = Infinity;
    if (answer) {
      if (starting && !this.#begin(answer)) return;
      this.#accept(answer, sentAt, telling ? last : -Infinity, true);
    } else if (newest) this.#fail(reply);
    this.#judge();
  }

  #news(): { idleFor: number } {
    return { idleFor: Math.max(0, this.#now() - this.#last) / 1000 };
  }

  async #send(path: string, body?: object, leaving?: boolean): Promise<Reply | undefined> {
    try {
      return await this.#ports.transport(path, body, this.#limit, leaving);
    } catch {
      return undefined;
    }
  }

  #fail(reply?: Reply): void {
    const now = this.#now();
    this.#busyUntil = Infinity;
    this.#failures++;
    // Its lock may be held by a request that never ends.
    this.#alone = true;
    this.#retryAfter = now + this.#waitFor(reply?.retryAfter);
    const backOff = (this.#limit / 10) * 2 ** this.#failures * (0.75 + this.#ports.random() / 2);
    this.#retryAt = Math.max(this.#retryAfter, now + Math.min(backOff, LONGEST_BACK_OFF_MS));
    if (this.#last <= this.#told) this.#holdUntil = -Infinity;
    this.#ports.notify('error', { request: 'ping', status: reply?.status ?? 0 });
  }

  #waitFor(retryAfter: string | null | undefined): number {
    if (!retryAfter) return 0;
    const seconds = Number(retryAfter);
    const wait = seconds >= 0 ? seconds * 1000 : Date.parse(retryAfter) - this.#ports.clock.wall();
    return Math.max(0, wait) || 0;
  }

  /** Takes the first answer; false when there is nothing to watch. */
  #begin(answer: PingAnswer): boolean {
    if (this.#phase !== 'starting') return false;
    const expected = this.#expectedOwner;
    const live = isLive(answer);
    const owner = live ? answer.owner : null;
    this.#settings = this.#ports.settings(answer.client ?? {});
    this.#owner = owner ?? undefined;
    this.#open();
    this.#siblings?.post({ owner });
    if (live && (expected ?? owner) === owner) {
      this.#ports.watch();
      this.#resume();
      return true;
    }
    if (live) this.#end('replaced', null);
    // Without an owner in the page this may be the sign-in page itself: it is left alone.
    else if (expected !== undefined && answer.state !== 'exempt') this.#end(answer.reason, answer.redirectTo);
    else this.#stop('inert');
    return false;
  }

  /**
   * @param sentAt when it was asked for
   * @param known activity that this answer confirms, because the request told it
   * @param own asked by this tab, so the others want to hear of it
   */
  #accept(answer: PingAnswer, sentAt: number, known: number, own: boolean): void {
    if (!this.#watching && this.#phase !== 'covered') return;
    const roundTrip = this.#now() - sentAt;
    if (!isLive(answer)) {
      if (own) this.#post(answer, roundTrip);
      if (answer.state !== 'exempt') return this.#end(answer.reason, answer.redirectTo);
      this.#ports.uncover();
      this.#resume();
      return this.#stop('inert');
    }
    if (answer.owner !== this.#owner) {
      if (own) this.#post(answer, roundTrip);
      return this.#end('replaced', null);
    }
    this.#rebase(answer, sentAt, roundTrip, known);
    if (own) this.#post(answer, roundTrip);
  }

  /** Takes all deadlines from an answer. */
  #rebase(answer: LiveAnswer, sentAt: number, roundTrip: number, known: number): void {
    const { idleFor, warnIn, expireIn, lifetimeIn, limits } = answer;
    const at = sentAt + Math.min(roundTrip, LONGEST_LATENESS_MS);
    const counted = at - idleFor * 1000;
    const told = Math.max(counted, known);
    // Activity never goes back on the server: of two answers that crossed, this is the older one.
    if (told < this.#told - LONGEST_LATENESS_MS && sentAt < this.#answeredAt) return;
    const warningPeriod = (limits.expireAfter - limits.warnAfter) * 1000;
    const granted = at + expireIn * 1000 - this.#endAt;
    this.#limit = Math.min(LONGEST_REQUEST_MS, warningPeriod / 2);
    this.#lead = Math.min(5000, limits.warnAfter * 40);
    this.#told = told;
    this.#warnAt = at + warnIn * 1000;
    this.#endAt = at + expireIn * 1000;
    this.#deadline = sentAt + expireIn * 1000 - Math.min(LONGEST_LATENESS_MS, warningPeriod / 10);
    this.#lifetime = lifetimeIn != null && lifetimeIn <= expireIn;
    this.#answeredAt = this.#now();
    // A server that does not count what it is told is asked less and less often.
    const refused = counted < known - LONGEST_LATENESS_MS;
    if (!refused) this.#failures = 0;
    this.#alone = !this.#channel;
    this.#holdUntil = -Infinity;
    this.#retryAt = -Infinity;
    this.#doubt = false;
    if (this.#last <= told) {
      this.#busyUntil = Infinity;
      this.#attempt++;
    }
    if (this.#phase === 'warning' && granted > LONGEST_LATENESS_MS / 2)
      this.#ports.notify('extended', { remaining: this.remaining });
    if (this.#phase === 'covered') this.#uncover();
    if (refused) this.#fail();
  }

  #uncover(): void {
    if (this.#endAt - this.#now() < NOT_WORTH_SHOWING_MS) {
      this.#retryAt = Math.max(this.#endAt, this.#now() + NOT_WORTH_SHOWING_MS / 2);
      return;
    }
    this.#ports.uncover();
    this.#resume();
  }

  #end(reason: EndReason | null, redirectTo?: string | null, own = false): void {
    if (this.#phase === 'expired') return;
    if (own) this.#post({ state: 'expired', reason, redirectTo }, 0);
    this.#ports.cover();
    this.#stop('expired');
    this.#ports.notify('expire', { reason, redirectTo });
  }

  get #name(): string {
    return `session-security:${this.#settings.application}:${this.#owner}`;
  }

  #open(): void {
    const { channel } = this.#ports;
    this.#channel = channel(this.#name, (message) => this.#receive(message as TabMessage | null));
    this.#siblings = channel(`session-security:${this.#settings.application}`, (message) => {
      const owner = (message as { owner?: unknown } | null)?.owner;
      // Someone signed in or out in another tab, perhaps by the application's own pages: the server knows who.
      this.#doubt ||= owner !== undefined && owner !== this.#owner;
      this.#judge(false);
    });
  }

  #close(): void {
    this.#channel?.close();
    this.#siblings?.close();
    this.#channel = this.#siblings = undefined;
  }

  #post(answer?: PingAnswer, roundTrip?: number): void {
    const now = this.#now();
    this.#postedAt = now;
    const message: TabMessage = { idle: now - this.#last, wall: this.#ports.clock.wall(), answer, roundTrip };
    this.#channel?.post(message);
  }

  #receive(message: TabMessage | null): void {
    if (!(message && message.idle >= 0 && isAmount(message.wall))) return;
    const now = this.#now();
    const age = Math.max(0, this.#ports.clock.wall() - message.wall);
    const last = now - age - message.idle;
    if (last > Math.max(this.#last, this.#told + SAME_MS) && this.#watching) this.#learn(last, now);
    const answer = parseAnswer(message.answer);
    if (answer)
      this.#accept(
        answer,
        now - age - (isAmount(message.roundTrip) ? message.roundTrip : 0),
        -Infinity,
        false,
      );
    this.#judge(false);
  }

  /** Activity in another tab: it calls the warning off here too, for as long as that tab may take to reach the server. */
  #learn(last: number, now: number): void {
    this.#last = last;
    this.#own = false;
    // Late news of activity that the warning has taken into account calls nothing off.
    if (this.#phase !== 'warning' || this.#lifetime || last - this.#told < now - this.#warnAt) return;
    this.#holdUntil = now + this.#limit * 1.5;
    this.#retryAt = now + this.#limit;
  }
}
