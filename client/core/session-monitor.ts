import { isLive, parseAnswer, readReply } from './answer.js';
import type { OverAnswer, PingAnswer, Reply, StartValues } from './answer.js';
import type { MonitorOptions, MonitorPorts, Phase, TabChannel } from './ports.js';
import { steadyClock } from './steady-clock.js';

// Durations and instants are in seconds here, as on the wire; only the ports speak of milliseconds.
const SECOND_MS = 1000;
/** Delays of 2^31 ms and more fire at once instead of late (https://bugzilla.mozilla.org/show_bug.cgi?id=795373). */
const LONGEST_TIMER = 2e6;
const LONGEST_REQUEST = 10;
const LONGEST_BACK_OFF = 60;
const LONGEST_LEAD = 5;
/** A slow network delays warning and cover no longer. What is promised to the person counts the round trip in full. */
const LONGEST_DELAY = 1;
/** Activity is told to the other tabs no more often. */
const POST_EVERY = 1;
/** Instants that came by different ways and are this close are the same. */
const SAME = 0.05;
/** Without a channel to the other tabs, the server is asked this often during a warning. */
const ASK_ALONE_EVERY = 4;

/** The phases in an order that answers most questions by one comparison: from ACTIVE on, time is running. */
const PHASES: readonly Phase[] = ['inert', 'starting', 'expired', 'covered', 'active', 'warning'];
const INERT = 0;
const STARTING = 1;
const EXPIRED = 2;
const COVERED = 3;
const ACTIVE = 4;
const WARNING = 5;

/** Whether a request is under way, and of which kind. */
const IDLE: number = 0;
const ASKING = 1;
const TELLING = 2;
/** What a tab tells the others. */
interface TabMessage {
  /** Who is signed in, told to the tabs of all owners when a page starts; then there is nothing else. */
  owner?: string;
  /**
   * When the last activity was; -Infinity when it knows of none. Instants between tabs are by the wall clock, which they
   * share, so that a message that slept with the machine is not taken for news.
   */
  last: number;
  answer: PingAnswer | undefined;
  /** When the answer was asked for. */
  sentAt: number;
}

/** Decides when this tab asks the server, warns, covers its content and ends. */
export interface SessionMonitor {
  phase: () => Phase;
  /** The content must not be seen. */
  isHidden: () => boolean;
  /** Seconds that the person can count on, 0 when there are none; Infinity when nothing is watched. */
  remaining: () => number;
  /** Asks the server who this is and what the limits are. */
  start: () => void;
  /** The person did something. Expiry is checked before it is counted. */
  activity: () => void;
  /** The person wants to stay. Only the server's answer ends the warning. */
  stay: () => void;
  /** Sends a request of another kind; undefined when no answer came. */
  send: (path: string, body: object) => Promise<Reply | undefined>;
  /** The session has ended by what this page did, and all tabs are to know. */
  finish: (answer: OverAnswer) => void;
  /** Something may have happened to time or network: focus, visibility, thaw, online. */
  wake: () => void;
  /** The page goes away, for good or into the back/forward cache. A message to a cached page would evict it. */
  suspend: () => void;
  /** The page comes out of the back/forward cache: nothing is shown before the server has answered. */
  restore: () => void;
  /** Stops for good. What has ended stays covered. */
  destroy: () => void;
}

/**
 * The server decides whether a session lives; all deadlines come from its answers. Local activity only raises `last`,
 * which the next ping tells. That ping goes out shortly before the warning is due, so there is one per warning period,
 * and only the earliest tab sends it: it holds the lock and broadcasts the answer. There is no leader and no vote: a tab
 * that hears nothing asks on its own.
 *
 * Every wake signal ends in `judge`, which looks at all deadlines anew and sets one timer to the next of them.
 *
 * A closure and not a class, because minifiers shorten its variables to one letter.
 *
 * @param ports what the monitor needs from the world
 * @param options replace what the server says of the client
 */
export function createSessionMonitor(ports: MonitorPorts, options: MonitorOptions): SessionMonitor {
  const { wall, setTimer, clearTimer, transport, notify, chance } = ports;
  const { min, max } = Math;
  const now = steadyClock(ports);
  const wallNow = (): number => wall() / SECOND_MS;

  let phase: number = STARTING;
  let owner: string;
  let settings: Partial<StartValues>;
  let name: string;
  /** To the tabs of the same owner, and to those of all owners. */
  let channels: (TabChannel | undefined)[] = [];
  let timer: unknown;

  // Instants on the steady clock.
  /** Newest known activity of the person, in any tab. */
  let last = -Infinity;
  /** Newest activity that the server knows of. */
  let told = -Infinity;
  let warnAt = Infinity;
  /** When the session has ended on the server for certain. */
  let endAt = Infinity;
  /** Until when the person can safely answer the warning: the network is taken off. */
  let safeUntil = Infinity;
  let answeredAt = 0;
  /** What was asked for before tells nothing of what happened in the back/forward cache. */
  let restoredAt = 0;
  let postedAt = -Infinity;
  /** The warning waits until then for an answer that will probably call it off. */
  let holdUntil = 0;
  /** The request under way is given up then, or no other is sent before: back-off, and while another tab asks. */
  let retryAt = 0;
  /** Until when the server wants to be left alone, whatever happens. */
  let refusedUntil = 0;

  /** Time limit of a request, inside the warning period, so that there is room for another. */
  let limit = LONGEST_REQUEST;
  /** How long before the warning the server is asked. */
  let lead = 0;
  /** Counts requests, so that a late failure of an older one is not taken for the newest. */
  let attempt = 0;
  /** How often the server was asked in vain. Anything but 0 is doubt, and makes this tab ask as soon as it may. */
  let failures = 0;
  /** The newest activity comes from this tab. */
  let own = false;
  let busy = IDLE;
  /** Nobody else will ask for this tab: ask without the lock. */
  let alone = true;
  /** The absolute limit comes first, so activity cannot move the deadline. */
  let lifetime = false;
  /** The number of seconds that is shown. */
  let shown = 0;

  const remaining = (): number => max(0, Math.ceil(safeUntil - now()));

  /** @param mayAsk false in a message handler: it runs in a frozen page too, which would take the lock and keep it */
  function judge(mayAsk: boolean | void = true): void {
    const time = now();
    if (time >= endAt) hide();
    if (mayAsk && time >= nextAskAt()) {
      if (busy) fail();
      else ask();
    }
    if (phase >= ACTIVE) {
      if (time >= max(warnAt, holdUntil)) warn(remaining());
      else if (phase === WARNING) resume();
    }
    arm();
  }

  /** One timer to the next moment at which anything could change. */
  function arm(): void {
    clearTimer(timer);
    const next = min(
      nextAskAt(),
      phase >= ACTIVE ? endAt : Infinity,
      phase === ACTIVE ? max(warnAt, holdUntil) : Infinity,
      phase === WARNING && shown && ports.isVisible() ? safeUntil - shown + 1 : Infinity,
    );
    // A millisecond later, because browsers cut fractions off.
    if (next < Infinity) timer = setTimer(judge, min(next - now(), LONGEST_TIMER) * SECOND_MS + 1);
  }

  function nextAskAt(): number {
    const news = last > told && !lifetime;
    if (busy || failures || phase < ACTIVE || (phase === WARNING && news)) return retryAt;
    // Nobody can tell a lonely tab that the warning was called off in another.
    if (phase === WARNING) return channels[0] ? Infinity : answeredAt + ASK_ALONE_EVERY;
    // The tab with the newest activity asks first: only it can tell exactly.
    const askAt = warnAt - lead / (own ? 1 : 3);
    return news || answeredAt < askAt - lead ? max(askAt, retryAt) : Infinity;
  }

  function warn(seconds: number): void {
    if (phase === ACTIVE) {
      phase = WARNING;
      notify('warn', { reason: lifetime ? 'lifetime' : 'idle', remaining: seconds });
    } else if (seconds !== shown) notify('tick', { remaining: seconds });
    shown = seconds;
  }

  function resume(): void {
    phase = ACTIVE;
    notify('active', null);
  }

  function hide(): void {
    if (phase >= ACTIVE) {
      phase = COVERED;
      notify('cover', null);
    }
  }

  /** Whatever request is under way, another may follow. */
  function free(): void {
    busy = IDLE;
    attempt++;
  }

  /** @param direct without the lock: the person is waiting, and acts in one tab only */
  function ask(direct = alone): void {
    const time = now();
    const number = ++attempt;
    busy = ASKING;
    retryAt = time + limit;
    // News that cannot call it off is not worth waiting for.
    if (phase === ACTIVE && !failures)
      holdUntil ||= last > told ? min(time + limit * 1.5, warnAt + last - told) : time + LONGEST_DELAY;
    const request = async (): Promise<void> => {
      if (number !== attempt) return;
      const sentAt = now();
      // What has ended by this clock is only asked after, never extended.
      const news = phase >= ACTIVE && last > told;
      const known = news ? last : -Infinity;
      if (news) busy = TELLING;
      const reply = await send(
        phase === STARTING ? `ping?start=1&language=${options.language ?? ''}` : 'ping',
        news ? report() : undefined,
      );
      const answer = readReply(reply);
      if (answer) accept(answer, sentAt, known, true);
      else if (number === attempt) fail(reply);
    };
    // Another tab is asking. Its answer comes by the channel; a frozen one would never give any.
    const wait = (): void => {
      if (number !== attempt) return;
      busy = IDLE;
      alone = true;
    };
    // Not before the lock has been given back: there may be something to ask at once.
    void (direct ? request() : ports.lock(name, request, wait)).then(judge);
  }

  const report = (): object => ({ idleFor: now() - last });

  const send = (path: string, body?: object): Promise<Reply | undefined> =>
    transport(path, body, limit * SECOND_MS).catch(() => undefined);

  function fail(reply?: Reply): void {
    const time = now();
    free();
    failures++;
    // The lock may be held by a request that never ends.
    alone = true;
    const backOff = (limit * 2 ** failures) / (8 + 4 * chance());
    refusedUntil = time + (Number(reply?.retryAfter) || 0);
    retryAt = max(refusedUntil, time + min(backOff, LONGEST_BACK_OFF));
    if (last <= told) holdUntil = 0;
    notify('error', { request: 'ping', status: reply?.status ?? 0 });
  }

  /**
   * @param sentAt when it was asked for
   * @param known activity that this answer confirms, because the request told it
   * @param mine asked by this tab, so the others want to hear of it
   */
  function accept(answer: PingAnswer, sentAt: number, known: number, mine?: boolean): void {
    const current = answer.owner ?? '';
    if (phase === STARTING) {
      settings = { ...answer.client, ...options };
      owner = options.owner ?? current;
      open();
      channels[1]?.postMessage({ owner: current });
      // Without an owner in the page this may be the sign-in page itself: it is left alone.
      if (!owner) return stop(INERT);
      ports.watch(settings, owner);
      resume();
    }
    if (sentAt < restoredAt || phase < COVERED) return;
    if (mine) post(answer, sentAt);
    if (current && current !== owner) return end({ reason: 'replaced', redirectTo: null });
    if (answer.state === 'exempt') {
      resume();
      return stop(INERT);
    }
    if (!isLive(answer)) return end(answer);

    const { idleFor, expireIn, lifetimeIn, limits } = answer;
    const at = min(now(), sentAt + LONGEST_DELAY);
    const counted = at - idleFor;
    const newest = max(counted, known);
    // Activity never goes back on the server: of two answers that crossed, this is the older one.
    if (newest < told - LONGEST_DELAY && sentAt < answeredAt) return;
    const warningPeriod = limits.expireAfter - limits.warnAfter;
    limit = min(LONGEST_REQUEST, warningPeriod / 2);
    lead = min(LONGEST_LEAD, limits.warnAfter / 25);
    told = newest;
    endAt = at + expireIn;
    warnAt = endAt - warningPeriod;
    safeUntil = sentAt + expireIn - min(LONGEST_DELAY, warningPeriod / 10);
    lifetime = (lifetimeIn ?? Infinity) <= expireIn;
    answeredAt = now();
    free();
    alone = !channels[0];
    holdUntil = retryAt = 0;
    // A server that does not count what it is told is asked less and less often.
    if (counted < known - LONGEST_DELAY) fail();
    else failures = 0;
    if (phase === WARNING && warnAt > answeredAt) notify('extended', { remaining: remaining() });
    if (phase < ACTIVE && endAt > answeredAt) resume();
  }

  function end({ reason, redirectTo }: Omit<OverAnswer, 'state'>): void {
    stop(EXPIRED);
    notify('expire', { reason, redirectTo });
  }

  function stop(final: number): void {
    phase = final;
    free();
    endAt = retryAt = Infinity;
    clearTimer(timer);
    close();
  }

  function open(): void {
    const application = `session-security:${settings.application}`;
    name = `${application}:${owner}`;
    channels = [name, application].map((each) => ports.channel(each, receive));
  }

  function close(): void {
    for (const channel of channels) channel?.close();
    channels = [];
  }

  function post(answer?: PingAnswer, sentAt = 0): void {
    const shift = wallNow() - now();
    channels[0]?.postMessage({ last: last + shift, answer, sentAt: sentAt + shift } satisfies TabMessage);
  }

  function receive(message: TabMessage | null): void {
    const time = now();
    const shift = time - wallNow();
    // Someone signed in or out in another tab, perhaps by the application's own pages: the server knows who.
    if ((message?.owner ?? owner) !== owner) {
      failures ||= 1;
      return wake(false);
    }
    const instant = Number(message?.last) + shift;
    if (!(instant <= time + SAME)) return;
    if (instant > max(last, told + SAME)) {
      // Activity in another tab calls the warning off here too, for as long as that tab may take to reach the server;
      // unless it is late news of what the warning has taken into account.
      if (phase === WARNING && !lifetime && instant - told > time - warnAt) {
        holdUntil = time + limit * 1.5;
        retryAt = time + limit;
      }
      last = instant;
      own = false;
    }
    const answer = parseAnswer(message!.answer);
    if (answer) accept(answer, min(time, Number(message!.sentAt) + shift) || 0, -Infinity);
    judge(false);
  }

  /**
   * The person did something in this tab.
   *
   * @param staying it was to stay: the others are told only the server's answer
   */
  function act(staying?: boolean): void {
    const time = now();
    if (time >= endAt) return judge();
    const warning = phase === WARNING;
    if (phase < ACTIVE || (warning && (lifetime || (!staying && settings.dismiss === 'button')))) return;
    last = time;
    own = true;
    // In the warning, this tab keeps its dialog until the server has answered; the others go by the message.
    if (!staying && time - postedAt >= POST_EVERY) {
      post();
      postedAt = time;
    }
    if (warning && (staying || time >= retryAt) && busy < TELLING) ask(true);
    if (time >= warnAt - lead) judge();
  }

  function wake(mayAsk?: boolean): void {
    if (failures && !busy) retryAt = refusedUntil;
    judge(mayAsk);
  }

  return {
    phase: () => PHASES[phase]!,
    isHidden: () => phase > STARTING && phase < ACTIVE,
    remaining,
    start: judge,
    activity: () => act(),
    stay: () => act(true),
    send,
    finish(answer) {
      post(answer);
      end(answer);
    },
    wake,
    suspend() {
      if (phase >= ACTIVE && own && last > told) {
        post();
        void send('ping', report());
      }
      close();
    },
    restore() {
      if (phase < COVERED) return;
      restoredAt = now();
      open();
      hide();
      free();
      alone = true;
      failures ||= 1;
      wake();
    },
    destroy() {
      if (phase !== EXPIRED) stop(INERT);
    },
  };
}
