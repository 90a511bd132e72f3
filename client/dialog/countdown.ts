/** The time left as a clock shows it: "1:05". */
export const clockText = (seconds: number): string =>
  `${(seconds / 60) | 0}:${`${seconds % 60}`.padStart(2, '0')}`;

/**
 * Puts the time left in one warning into words: "in 2 minutes". They change at whole minutes, in the last minute at 40 and
 * 20 seconds, because anything more often makes screen readers repeat themselves
 * (https://github.com/hmrc/hmrc-frontend/pull/78). Seconds are told as they are, so a warning that comes late does not
 * promise more of them than there are.
 *
 * @param format knows the language's plural forms, and the case that follows "in"
 */
export function spokenTime(format: Intl.RelativeTimeFormat): (seconds: number) => string {
  let said: number;
  let words: string;
  return (seconds) => {
    const minutes = seconds > 40 ? Math.ceil(seconds / 60) : seconds > 20 ? 0.5 : 0;
    if (minutes !== said)
      words = minutes < 1 ? format.format(seconds, 'second') : format.format(minutes, 'minute');
    said = minutes;
    return words;
  };
}
