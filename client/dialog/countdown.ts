/** The time left as a clock shows it: "1:05". */
export const clockText = (seconds: number): string =>
  `${(seconds / 60) | 0}:${`${seconds % 60}`.padStart(2, '0')}`;

/**
 * The time left as it is spoken, in seconds: whole minutes, in the last minute 60, 40 and 20. Anything more often makes
 * screen readers repeat themselves (https://github.com/hmrc/hmrc-frontend/pull/78).
 */
export function spokenSeconds(seconds: number): number {
  const step = seconds > 60 ? 60 : 20;
  return Math.ceil(seconds / step) * step || step;
}

/**
 * Puts a time left into words: "in 2 minutes". Intl knows every language's plural forms, and the case that follows "in".
 *
 * @param language a BCP 47 tag
 */
export function timeFormat(language: string): (seconds: number) => string {
  const format = new Intl.RelativeTimeFormat(language);
  return (seconds) => {
    const spoken = spokenSeconds(seconds);
    return spoken % 60 ? format.format(spoken, 'second') : format.format(spoken / 60, 'minute');
  };
}
