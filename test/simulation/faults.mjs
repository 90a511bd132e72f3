/**
 * Deliberate faults, each a small change of the sources of engine or client that a hurried hand could make. The simulation must
 * catch every one of them, or it proves nothing; `npm run simulate:faults` holds it to that. A change names text that
 * stands exactly once in its file: when the source moves on, the fault has to move with it. The seed is that of a story
 * which has caught it, to be told first; other stories are told only if that one has become another by now. Faults of what
 * several processes share are looked for in the stories of such.
 *
 * @type {{ name: string, seed: number, processes?: boolean, changes: { file: string, from: string, to: string }[] }[]}
 */
export const faults = [
  fault(
    'a deadline is compared with <',
    14,
    'lib/policy/verdict.ts',
    "now >= expireAt ? 'expired'",
    "now > expireAt ? 'expired'",
  ),
  fault(
    'activity moves the absolute lifetime',
    29,
    'lib/policy/verdict.ts',
    'Math.min(timeline.startedAt, now) + limits.maxLifetime',
    'Math.min(timeline.lastActivityAt, now) + limits.maxLifetime',
  ),
  {
    name: 'stamps of the future count',
    seed: 126,
    changes: [
      change('lib/policy/verdict.ts', 'Math.min(timeline.lastActivityAt, now)', 'timeline.lastActivityAt'),
      change(
        'lib/activity/watched-sessions.ts',
        'Math.min(session.lastActivityAt, now)',
        'session.lastActivityAt',
      ),
    ],
  },
  fault(
    'the clock follows a wall clock that is set back',
    28,
    'lib/activity/clock.ts',
    'this.#offset = Math.max(this.#offset, this.wall() - monotonic)',
    'this.#offset = this.wall() - monotonic',
  ),
  {
    name: 'activity moves back',
    seed: 1,
    changes: [
      change(
        'lib/activity/watched-sessions.ts',
        'const moved = at > table.seenAt(slot);',
        'const moved = at !== table.seenAt(slot);',
      ),
      change('lib/activity/watched-sessions.ts', 'if (at > table.lastActivityAt(slot)) table', 'table'),
    ],
  },
  {
    name: 'a ping counts before it is asked whether the session has expired',
    seed: 14,
    changes: [
      change(
        'lib/activity/watched-sessions.ts',
        "if (this.#judge(slot, now).phase === 'expired') return STILL;",
        '',
      ),
      change(
        'lib/http/session-judgement.ts',
        '    const marker = readMarker(session.data);\n    if (!signedIn && !marker)',
        `    const { body } = request as { body?: { idleFor?: number } };
    if (body?.idleFor !== undefined) this.tracker.touch(session.id, body.idleFor * 1000);
    const marker = readMarker(session.data);
    if (!signedIn && !marker)`,
      ),
    ],
  },
  fault(
    'passive requests count',
    1,
    'lib/http/session-security.guard.ts',
    'this.classifier.isPassive(context, request) ? undefined : this.enforcer.touch(request)',
    'this.enforcer.touch(request)',
  ),
  fault(
    'the wheel forgets a session that it has looked at',
    1,
    'lib/activity/watched-sessions.ts',
    'due.push({ sessionId: this.#table.sessionId(slot)!, verdict });\n      }\n      this.#file(slot, now);',
    'due.push({ sessionId: this.#table.sessionId(slot)!, verdict });\n      }',
  ),
  fault(
    'a warned session is not filed again when activity calls the warning off',
    24,
    'lib/activity/watched-sessions.ts',
    'its next warning may come sooner than that.\n      this.#file(slot, now);',
    'its next warning may come sooner than that.',
  ),
  fault(
    'other limits are not filed',
    1035,
    'lib/activity/watched-sessions.ts',
    'this.#file(slot, now);\n    return { changed: true, renewed };',
    'return { changed: true, renewed };',
  ),
  fault(
    'longer limits call a warning off, and nobody is told',
    52,
    'lib/activity/activity-tracker.ts',
    'if (renewed) this.#tellRenewal(sessionId, now);\n    if (changed)',
    'if (changed)',
  ),
  fault(
    'reading and changing a record is not one step',
    103,
    'lib/activity/stores/express-session-activity-store.ts',
    'const mine = before ? before.then(work, work) : work();',
    'const mine = work();',
  ),
  fault(
    'an end is answered twice',
    26,
    'lib/activity/stores/express-session-activity-store.ts',
    'this.#removing.delete(id);\n      return record;',
    'if (record) this.#removing.set(id, record);\n      return record;',
  ),
  fault(
    'a removal that failed and was carried out all the same is told by nobody',
    271,
    'lib/activity/stores/express-session-activity-store.ts',
    'stored ? this.#record(id, stored) : (this.#removing.get(id) ?? this.#late.wanted(id))',
    'stored && this.#record(id, stored)',
  ),
  fault(
    'warnings wait for the store',
    1,
    'lib/activity/stores/express-session-activity-store.ts',
    'if (expired.length === due.length) return',
    'await this.#settleAll(expired, now);\n    if (expired.length === due.length) return',
  ),
  fault(
    'no tombstone at sign-out',
    242,
    'lib/activity/session-endings.ts',
    'if (!remains.keep) this.tombstones.bury(sessionId, this.rotations.fateOf(sessionId)?.reason ?? reason);',
    '',
  ),
  fault(
    'a session has two homes after its id has changed',
    5,
    'lib/activity/session-succession.ts',
    '      this.#handOver(from, to);\n' +
      '      await this.store\n' +
      "        .end(this.references.ofSession(from), 'replaced')\n" +
      "        .catch((error: unknown) => this.debts.owe(from, { end: 'replaced' }, error));\n",
    '',
  ),
  fault(
    'what is owed to a failing store is forgotten',
    8,
    'lib/activity/store-debts.ts',
    'this.#debts.set(sessionId, { ...owed, ...debt, ...end });',
    '',
  ),
  fault(
    'the gate does not look again after the write',
    1260,
    'lib/http/gate/session-gate.ts',
    'if (!isOver()) return done(error);',
    'return done(error);',
  ),
  fault(
    'the gate does not look again after the read',
    294,
    'lib/http/gate/session-gate.ts',
    'else if (this.#goesOn(sessionId, session)) {',
    'else if (sessionId) {',
  ),
  {
    name: 'a marker without a record is let in',
    seed: 837,
    changes: [
      change(
        'lib/http/session-judgement.ts',
        '        await this.tracker.buryLost(session.id);\n        return this.outcomes.abandon(request, state, session.id);\n',
        '',
      ),
      change(
        'lib/http/gate/session-gate.ts',
        'if (record?.life !== marker.life) {',
        'if (record && record.life !== marker.life) {',
      ),
    ],
  },
  fault(
    'the guard believes what the middleware has seen',
    19,
    'lib/http/session-enforcer.ts',
    'return sessionId !== undefined && life !== undefined && this.tracker.goesOn(sessionId, life);',
    'return sessionId !== undefined && life !== undefined;',
  ),
  {
    name: 'a handler that outlives its session begins another',
    seed: 26,
    changes: [
      change(
        'lib/http/session-settlement.ts',
        'if (marker && marker.life !== watched?.life) return this.platform.letGo(request);',
        '',
      ),
      change(
        'lib/http/request-outcomes.ts',
        'if (marker && marker.life !== this.tracker.lifeOf(session.id)) return false;',
        '',
      ),
    ],
  },
  {
    ...fault(
      'the end of an anonymous request signs out who has signed in meanwhile',
      1,
      'lib/http/session-settlement.ts',
      "if (!signedIn) return marker && this.outcomes.forget(present, state, 'logout');",
      "if (!signedIn) return watched && this.outcomes.forget(present, state, 'logout');",
    ),
    story: 'somebody signs in beside a slow anonymous request',
  },
  // Of the client's core.
  fault(
    'a tab does not cover its content by its own clock',
    11,
    'client/core/session-monitor.ts',
    '    if (phase > STARTING && time >= endAt) enter(COVERED);\n',
    '',
  ),
  fault(
    'a tab promises time from the arrival of the answer on',
    87,
    'client/core/session-monitor.ts',
    'const at = min(now(), sentAt + LONGEST_DELAY);',
    'const at = now();',
  ),
  fault(
    'a tab does not count the sleep of its machine',
    99,
    'client/core/steady-clock.ts',
    'if (jump > TOLERANCE_MS) slept += jump;',
    '',
  ),
  fault(
    'a tab that wakes up trusts its old timer',
    99,
    'client/core/session-monitor.ts',
    'if (failures && !request) retryAt = refusedUntil;\n    judge(isMessage);',
    'if (failures && !request) retryAt = refusedUntil;\n    if (isMessage) judge(isMessage);',
  ),
  fault(
    'a ping that is lost counts as the end',
    15,
    'client/core/session-monitor.ts',
    'else if (request === work) fail(reply);',
    "else accept({ state: 'expired', reason: 'idle' }, sentAt);",
  ),
  fault(
    'a ping that failed is sent again at once',
    99,
    'client/core/session-monitor.ts',
    'time + min(LONGEST_BACK_OFF, (',
    'time + min(0, (',
  ),
  fault(
    'activity in other tabs is not heard of',
    227,
    'client/core/session-monitor.ts',
    'if (instant > max(last, told + SAME)) {',
    'if (instant > Infinity) {',
  ),
  fault(
    'activity is not told to the other tabs',
    2063,
    'client/core/session-monitor.ts',
    '        post();\n        ownUntil = time + POST_EVERY;',
    '        ownUntil = time + POST_EVERY;',
  ),
  fault(
    'an answer is kept from the other tabs',
    35,
    'client/core/session-monitor.ts',
    '    if (known) post(answer, sentAt);\n',
    '',
  ),
  fault(
    'the lock is never given back',
    27,
    'client/core/session-monitor.ts',
    'else if (request === work) fail(reply);\n    });',
    'else if (request === work) fail(reply);\n      await new Promise<void>(() => undefined);\n    });',
  ),
  fault(
    'what has ended is extended by activity of before',
    179,
    'client/core/session-monitor.ts',
    'const news = hasNews() && phase > STARTING',
    'const news = hasNews()',
  ),
  fault(
    'activity counts from the moment in which it is told',
    11,
    'client/core/session-monitor.ts',
    '{ idleFor: max(0, sentAt - last) }',
    '{ idleFor: min(0, last) }',
  ),
  fault(
    'a page out of the back/forward cache is shown before the server has answered',
    131,
    'client/core/session-monitor.ts',
    '      if (phase > STARTING) enter(COVERED);\n      request =',
    '      request =',
  ),
  shared(
    'nothing is allowed for what a process that died had not written',
    36,
    'lib/redis/redis-activity-store.ts',
    'this.#slackMs = flushIntervalMs;',
    'this.#slackMs = flushIntervalMs * 0;',
  ),
  shared(
    'overdue activity is acted on before it is written',
    5,
    'lib/activity/activity-writer.ts',
    'const SHARED_SHARE = 0.9;',
    'const SHARED_SHARE = 9;',
  ),
  shared(
    'an event is acknowledged before it is handled',
    9,
    'lib/redis/stream-group.ts',
    '      await this.#withinTime(this.handler(news));\n      this.#acknowledge(delivery);\n',
    '      this.#acknowledge(delivery);\n      await this.#withinTime(this.handler(news));\n',
  ),
  shared(
    'what a process that died had in hand is left lying',
    8,
    'lib/redis/stream-group.ts',
    '      this.#track(this.#reclaim(shard));\n',
    '',
  ),
  shared(
    "the process's own clock is taken for that of Redis",
    2,
    'lib/redis/synchronized-clock.ts',
    'Math.ceil(this.base.now() + this.#distance)',
    'Math.ceil(this.base.now())',
  ),
  shared(
    'what happened on other processes is only heard from the end of the stream on',
    1,
    'lib/redis/redis-activity-store.ts',
    '      this.#remember(shard, last);\n',
    '',
  ),
  shared(
    'memory is believed for as long as Redis is away',
    170,
    'lib/activity/store-health.ts',
    '>= this.graceMs) throw',
    '>= Infinity) throw',
  ),
];

function shared(name, seed, file, from, to) {
  return { ...fault(name, seed, file, from, to), processes: true };
}

function fault(name, seed, file, from, to) {
  return { name, seed, changes: [change(file, from, to)] };
}

function change(file, from, to) {
  return { file, from, to };
}
