import { validateSync } from 'class-validator';
import { beyondPreset, type LimitOrigins, limitProblems, PRESETS, shownValue } from '../policy/index.js';
import { SessionSecurityOptions, type SessionSecurityOptionsInput } from './session-security.options.js';
import { suggestion } from './suggestion.js';

/** WCAG 2.2 SC 2.2.1: at least 20 seconds to extend a time limit. */
const SHORTEST_WARNING = 20;
/** With a shared store an end is late by up to two seconds: the flush interval, and a second to find it. */
const LONGEST_SHARED_FLUSH_INTERVAL = 1;
const SHARED_TOLERANCE = 1;
/** From here on a round number of thousands is more likely a slip for milliseconds than a limit. */
const LONGEST_USUAL_LIMIT = 12 * 3600;

/** The options cannot be used; the message names every option at fault with its value and what to write instead. */
export class SessionSecurityOptionsError extends Error {
  readonly code = 'SESSION_SECURITY_OPTIONS';

  constructor(readonly problems: readonly string[]) {
    super(`SessionSecurityModule cannot start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SessionSecurityOptionsError';
  }
}

/** The options in force, and what is allowed but should be looked at. */
export interface ValidatedOptions {
  readonly options: SessionSecurityOptions;
  readonly warnings: readonly string[];
}

/**
 * Lays the given options over the routes that were laid already, and those over the defaults, and checks the whole.
 *
 * @throws {SessionSecurityOptionsError} for unknown names, wrong values and contradictions, all in one message; with
 * `strict` for warnings too.
 */
export function validateOptions(
  options: SessionSecurityOptionsInput = {},
  routes: SessionSecurityOptionsInput = {},
): ValidatedOptions {
  requireObject(options);
  return validated({ ...routes, ...options });
}

function requireObject(options: unknown): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new SessionSecurityOptionsError([`the options must be an object, but are ${shownValue(options)}`]);
}

function validated(given: SessionSecurityOptionsInput): ValidatedOptions {
  const defaults = new SessionSecurityOptions();
  const known = Object.keys(defaults);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = Object.assign(defaults, presetLimits(given), sharedDefaults(given), set);

  const refused = validateSync(options, { skipMissingProperties: false, forbidUnknownValues: false });
  const problems = [
    ...unknown.map((name) => `${name} is no option${suggestion(name, known)}`),
    ...refused.flatMap(({ constraints }) => Object.values(constraints ?? {})),
  ];
  if (!refused.some(({ property }) => ['warnAfter', 'expireAfter', 'maxLifetime'].includes(property))) {
    problems.push(
      ...limitProblems(options, unwrittenLimits(given)),
      ...millisecondsMistaken(options),
      ...sharedProblems(options),
    );
  }
  if (options.onExpired === 'redirect' && options.loginUrl === null) {
    problems.push('onExpired is "redirect", but loginUrl does not say where to');
  }
  if (!options.ping && (options.injectTag !== false || options.tagHelper !== null)) {
    problems.push(
      'ping is false, so there is no client script that injectTag or tagHelper could bring into pages',
    );
  }
  const beyond =
    problems.length === 0 && options.preset
      ? beyondPreset(options.preset, options, toleranceOf(options))
      : [];
  problems.push(...beyond.filter(({ level }) => level === 'shall').map(({ problem }) => problem));
  const recommended = beyond.filter(({ level }) => level === 'should').map(({ problem }) => problem);
  const warnings = problems.length === 0 ? [...recommended, ...shortWarning(options)] : [];
  if (options.strict) problems.push(...warnings);
  if (problems.length > 0) throw new SessionSecurityOptionsError(problems);
  return { options, warnings };
}

/**
 * How late an end may come, never early, in seconds: nothing while the process lives, and as much as may not have been
 * written when it dies.
 */
export function toleranceOf({ flushInterval, store }: SessionSecurityOptions): number {
  return store ? flushInterval + SHARED_TOLERANCE : flushInterval;
}

/** Defaults that differ when several processes share a store. */
function sharedDefaults({ store }: SessionSecurityOptionsInput): SessionSecurityOptionsInput {
  return store ? { flushInterval: LONGEST_SHARED_FLUSH_INTERVAL, onStoreFailure: 'unavailable' } : {};
}

function sharedProblems({ store, secret, flushInterval }: SessionSecurityOptions): string[] {
  if (!store) return [];
  return [
    ...(secret === undefined
      ? ['secret must be set with store, the same on every process: session ids are encrypted with it']
      : []),
    ...(flushInterval > LONGEST_SHARED_FLUSH_INTERVAL
      ? [`flushInterval must be at most ${LONGEST_SHARED_FLUSH_INTERVAL} with store, but is ${flushInterval}`]
      : []),
  ];
}

function presetLimits({ preset }: SessionSecurityOptionsInput): SessionSecurityOptionsInput {
  return typeof preset === 'string' && Object.hasOwn(PRESETS, preset) ? PRESETS[preset].limits : {};
}

/** The limits that the application did not write, and who did. */
function unwrittenLimits(given: SessionSecurityOptionsInput): LimitOrigins {
  const fromPreset = presetLimits(given);
  return Object.fromEntries(
    (['warnAfter', 'expireAfter', 'maxLifetime'] as const)
      .filter((name) => given[name] === undefined)
      .map((name) => [name, fromPreset[name] === undefined ? 'the default' : `by preset ${given.preset}`]),
  );
}

function millisecondsMistaken({ warnAfter, expireAfter, allowLongLimits }: SessionSecurityOptions): string[] {
  const suspicious = expireAfter > LONGEST_USUAL_LIMIT && expireAfter % 1000 === 0 && !allowLongLimits;
  if (!suspicious) return [];
  return [
    `expireAfter is ${expireAfter} seconds, ${(expireAfter / 3600).toFixed(1)} hours; options are in seconds: if milliseconds were meant, ` +
      `write warnAfter: ${warnAfter / 1000}, expireAfter: ${expireAfter / 1000}; if not, set allowLongLimits: true`,
  ];
}

function shortWarning({ warnAfter, expireAfter }: SessionSecurityOptions): string[] {
  const seconds = expireAfter - warnAfter;
  if (seconds >= SHORTEST_WARNING) return [];
  return [
    `the warning lasts ${seconds} seconds (expireAfter ${expireAfter} - warnAfter ${warnAfter}); ` +
      `WCAG 2.2 SC 2.2.1 asks for at least ${SHORTEST_WARNING}`,
  ];
}
