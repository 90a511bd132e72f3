/** A duration as a person says it: `90` becomes "90 seconds", `600` "10 minutes". */
export function inWords(seconds: number): string {
  const [amount, unit] = seconds % 60 === 0 ? [seconds / 60, 'minute'] : [seconds, 'second'];
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
