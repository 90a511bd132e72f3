import type { SessionSecurityRequest } from '../options/index.js';

const BROWSERS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\/|Opera/, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPod/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/CrOS/, 'ChromeOS'],
  [/Macintosh|Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

/**
 * The kind of browser behind a request, such as "Firefox on Windows", for lists in which users recognise their own
 * sessions. A few dozen different names, not the header itself: that would be personal data, and thousands of strings.
 */
export function deviceOf({ headers }: SessionSecurityRequest): string | undefined {
  const agent = headers['user-agent'];
  if (typeof agent !== 'string') return undefined;
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (!browser) return system;
  return system ? `${browser} on ${system}` : browser;
}
