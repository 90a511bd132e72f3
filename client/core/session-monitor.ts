import { isLive, parseAnswer, readReply } from './answer.js';
import type { OverAnswer, PingAnswer, Reply, StartValues } from './answer.js';
import { ACTIVE, COVERED, EXPIRED, FINAL, INERT, PHASES, STARTING, WARNING } from './phases.js';
import type { MonitorOptions, MonitorPorts, Phase, StandingEvent, TabChannel } from './ports.js';
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
  // Browsers want their timers called as plain functions.
  const { setTimer, clearTimer } = ports;
  const min = Math.min;
  const max = Math.max;
  const now = steadyClock(ports);

  let phase: number = STARTING;
  let owner: string;
  let settings: Partial<StartValues>;
  /** To the tabs of the same owner, and to those of all owners. */
  let channels: (TabChannel | undefined)[] = [];
  let timer: unknown;

  // Instants on the steady clock.
  /** Newest known activity of the person, in any tab. */
  let last = -Infinity;
  /** Newest activity that the server knows of. */
  let told!: number;
  let warnAt!: number;
  /** When the session has ended on the server for certain. */
  let endAt!: number;
  /** Until when the person can safely answer the warning: the network is taken off. */
  let safeUntil = Infinity;
  /** When this tab last asked. */
  let askedAt!: number;
  let answeredAt!: number;
  /** What was asked for before tells nothing of what happened in the back/forward cache. */
  let restoredAt!: number;
  /** What was asked for before knows nothing of the sign-in that another tab has told of. */
  let doubtedAt!: number;
  /** Activity up to here is this tab's own, and needs not be told to the others again. */
  let ownUntil!: number;
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
  /** The newest request while it is under way: a late failure of an older one is not taken for its own. */
  let request: object | false = false;
  /** How often the server was asked in vain. Anything but 0 is doubt, and makes this tab ask as soon as it may. */
  let failures = 0;
  /** The channel by which another tab may answer for this one; without it, it asks without the lock. */
  let shared: TabChannel | false | undefined;
  /** The absolute limit comes first, so activity cannot move the deadline. */
  let lifetime!: boolean;
  /** The number of seconds that is shown. */
  let shown!: number;

  const remaining = (): number => max(0, Math.ceil(safeUntil - now()));
  const hasNews = (): boolean => last > told;
  /** The newest activity comes from this tab. */
  const isOwn = (): boolean => last < ownUntil;
  /**
   * The warning waits for the server to hear of the newest activity, as far as that calls it off.
   *
   * @param from when it is or was to be asked
   */
  const hold = (from: number): void => {
    holdUntil = max(holdUntil, min(from + limit * 1.5, warnAt + last - told));
  };
  const warnsAt = (): number => max(holdUntil, warnAt);
  const tell = (type: StandingEvent): void =>
    ports.notify(type, { reason: lifetime ? 'lifetime' : 'idle', remaining: remaining() });

  /** @param isMessage nothing is asked then: messages reach a frozen page too, which would take the lock and keep it */
  const judge = (isMessage?: boolean | void): void => {
    const time = now();
    if (phase > STARTING && time >= endAt) enter(COVERED);
    if (phase === ACTIVE && !failures && time >= warnAt - lead && hasNews() && !lifetime) hold(warnAt);
    if (!isMessage && time >= nextAskAt()) {
      if (request) fail();
      else ask();
    }
    if (phase > STARTING) {
      const next = time >= warnsAt() ? (lifetime ? FINAL : WARNING) : ACTIVE;
      if (phase !== next) enter(next);
      else if (next > ACTIVE && remaining() !== shown) tell('tick');
      shown = remaining();
    }
    arm();
  };

  /** One timer to the next moment at which anything could change. */
  const arm = (): void => {
    clearTimer(timer);
    let next = nextAskAt();
    if (phase > STARTING)
      next = min(
        next,
        endAt,
        phase === ACTIVE ? warnsAt() : shown && ports.isVisible() ? safeUntil - shown + 1 : Infinity,
      );
    // A millisecond later, because browsers cut fractions off.
    if (next < Infinity) timer = setTimer(judge, min(next - now(), LONGEST_TIMER) * SECOND_MS + 1);
  };

  const nextAskAt = (): number => {
    if (request || failures || phase < ACTIVE) return phase > EXPIRED ? retryAt : Infinity;
    // The tab with the newest activity asks first: only it can tell exactly.
    const askAt = warnAt - lead / (isOwn() ? 1 : 3);
    if ((hasNews() && !lifetime) || answeredAt < askAt - lead) return max(askAt, retryAt);
    // Nobody can tell a lonely tab that the warning was called off in another.
    return phase > ACTIVE && !channels[0] ? answeredAt + ASK_ALONE_EVERY : Infinity;
  };

  const enter = (next: number): void => {
    phase = next;
    tell(next < STARTING ? 'cover' : next > ACTIVE ? 'warn' : 'active');
  };

  /** @param direct without the lock: the person is waiting, and acts in one tab only */
  const ask = (direct = !shared): void => {
    const time = (askedAt = now());
    retryAt = time + limit;
    if (phase === ACTIVE && !failures) holdUntil ||= time + LONGEST_DELAY;
    const work = (request = async (granted: unknown): Promise<void> => {
      if (request !== work) return;
      // Another tab is asking. Its answer comes by the channel; a frozen one would never give any.
      if (!granted) return void (request = shared = false);
      const sentAt = now();
      // What has ended by this clock is only asked after, never extended.
      // The clock may have been put right by less than it takes for sleep.
      const news = hasNews() && phase > STARTING ? { idleFor: max(0, sentAt - last) } : undefined;
      const known = news ? last : -Infinity;
      const reply = await send(
        phase === STARTING ? `ping?start=1&language=${options.language}` : 'ping',
        news,
      );
      const answer = readReply(reply);
      if (answer) accept(answer, sentAt, known);
      else if (request === work) fail(reply);
    });
    // Not before the lock has been given back: there may be something to ask at once.
    void (direct ? work(true) : ports.lock(owner, work)).then(judge);
  };

  const send = (path: string, body?: object): Promise<Reply | undefined> =>
    ports.transport(path, body, limit * SECOND_MS).catch(() => undefined);

  const fail = (reply?: Reply): void => {
    const time = now();
    // The lock may be held by a request that never ends.
    request = shared = false;
    failures++;
    refusedUntil = time + (Number(reply?.retryAfter) || 0);
    retryAt = max(
      refusedUntil,
      time + min(LONGEST_BACK_OFF, (limit * 2 ** failures) / (8 + 4 * ports.chance())),
    );
    ports.notify('error', { request: 'ping', status: reply?.status ?? 0 });
  };

  /**
   * @param sentAt when it was asked for
   * @param known activity that it confirms, because the request told it, -Infinity for none; only if this tab has asked, so
   *   that the others want to hear of it
   */
  const accept = (answer: PingAnswer, sentAt: number, known?: number): void => {
    if (sentAt < restoredAt) return;
    const current = answer.owner ?? '';
    if (phase === STARTING) {
      settings = { ...answer.client, ...options };
      owner = options.owner ?? current;
      open();
      channels[1]?.postMessage({ owner: current });
      // Without an owner in the page this may be the sign-in page itself: it is left alone.
      if (!owner) return stop(INERT);
      ports.watch(settings, owner);
      enter(ACTIVE);
    }
    if (phase < COVERED) return;
    if (known) post(answer, sentAt);
    if (current && current !== owner) answer = { reason: 'replaced', redirectTo: null } as OverAnswer;
    if (!isLive(answer)) {
      const { reason, redirectTo } = answer;
      const exempt = answer.state === 'exempt';
      stop(exempt ? INERT : EXPIRED);
      return exempt ? tell('active') : ports.notify('expire', { reason, redirectTo });
    }

    const { limits, expireIn } = answer;
    const at = min(now(), sentAt + LONGEST_DELAY);
    const counted = at - answer.idleFor;
    known = max(counted, known ?? counted);
    // Activity never goes back on the server: of two answers that crossed, this is the older one.
    if (known < told - LONGEST_DELAY && sentAt < answeredAt) return;
    const warningPeriod = limits.expireAfter - limits.warnAfter;
    limit = min(LONGEST_REQUEST, warningPeriod / 2);
    lead = min(LONGEST_LEAD, limits.warnAfter / 25);
    told = known;
    endAt = at + expireIn;
    warnAt = endAt - warningPeriod;
    safeUntil = sentAt + expireIn - limit / 10;
    lifetime = (answer.lifetimeIn ?? Infinity) <= expireIn;
    answeredAt = now();
    holdUntil = retryAt = 0;
    request = false;
    shared = channels[0];
    // A server that does not count what it is told is asked less and less often.
    if (counted < known - LONGEST_DELAY) fail();
    else failures = +(sentAt < doubtedAt);
    if (phase > ACTIVE && warnAt > answeredAt) tell('extended');
    if (phase < ACTIVE && endAt > answeredAt) enter(ACTIVE);
  };

  const stop = (final: number): void => {
    phase = final;
    request = false;
    clearTimer(timer);
    channels = channels.map((channel) => channel?.close() as undefined);
  };

  const open = (): void => {
    const application = `session-security:${settings.application}`;
    channels = [`${application}:${owner}`, application].map((each) => ports.channel(each, receive));
  };

  const post = (answer?: PingAnswer, sentAt?: number): void => {
    const shift = ports.wall() / SECOND_MS - now();
    channels[0]?.postMessage({ last: last + shift, answer, sentAt: sentAt! + shift } satisfies TabMessage);
  };

  const receive = (message: TabMessage | null): void => {
    const time = now();
    const shift = ports.wall() / SECOND_MS - time;
    // Someone signed in or out in another tab, perhaps by the application's own pages: the server knows who.
    if ((message?.owner ?? owner) !== owner) {
      // Who has just started was answered before, perhaps. In doubt this has been said already.
      if (!failures) {
        failures = 1;
        doubtedAt = time;
        channels[1]?.postMessage({ owner });
      }
      return wake(true);
    }
    const instant = Number(message?.last) - shift;
    if (!(instant <= time + SAME)) return;
    if (instant > max(last, told + SAME)) {
      last = instant;
      // Activity in another tab calls the warning off here too, for as long as that tab may take to reach the server.
      if (phase === WARNING) {
        retryAt = time + limit;
        hold(time);
      }
    }
    const answer = parseAnswer(message!.answer);
    if (answer) accept(answer, min(time, Number(message!.sentAt) - shift) || 0);
    judge(true);
  };

  /**
   * The person did something in this tab.
   *
   * @param staying 1 when it was to stay: the others are told only the server's answer then
   */
  const act = (staying = 0): void => {
    const time = now();
    const warned = phase === WARNING;
    if (time < endAt && (warned ? staying || settings.dismiss !== 'button' : phase === ACTIVE)) {
      last = time;
      // In the warning, this tab keeps its dialog until the server has answered; the others go by the message.
      if (!staying && !isOwn()) {
        post();
        ownUntil = time + POST_EVERY;
      }
      // To press the button was activity a moment ago, and the server is being told of that already. It is told at once also
      // when it wants to be left alone: a person waits for it.
      if (warned && time >= (staying ? (request ? askedAt + POST_EVERY : 0) : retryAt)) ask(true);
    }
    if (time >= warnAt - lead) judge();
  };

  const wake = (isMessage?: boolean): void => {
    if (failures && !request) retryAt = refusedUntil;
    judge(isMessage);
  };

  return {
    phase: () => PHASES[phase]!,
    isHidden: () => phase > INERT && phase < STARTING,
    remaining,
    start: judge,
    activity: () => act(),
    stay: () => act(1),
    send,
    finish: (answer) => accept(answer, now(), -Infinity),
    wake,
    suspend() {
      if (phase > STARTING && isOwn() && hasNews()) {
        post();
        ask(true);
      }
      channels = channels.map((channel) => channel?.close() as undefined);
    },
    restore() {
      if (phase < COVERED) return;
      restoredAt = now();
      // A page that is still starting knows none to open.
      if (settings) open();
      if (phase > STARTING) enter(COVERED);
      request = shared = false;
      failures ||= 1;
      wake();
    },
    destroy() {
      if (phase !== EXPIRED) stop(INERT);
    },
  };
}
