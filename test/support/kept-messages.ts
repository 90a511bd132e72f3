import { afterEach, beforeEach } from '@jest/globals';
import { Logger, type LoggerService } from '@nestjs/common';

/** What Nest logs in each test of the block in which this is called; nothing of it is printed. */
export function keptMessages(): readonly string[] {
  const messages: string[] = [];
  beforeEach(() => {
    messages.length = 0;
    const keep = (message: string): void => void messages.push(message);
    Logger.overrideLogger({ log: keep, warn: keep, error: keep } satisfies LoggerService);
  });
  afterEach(() => Logger.overrideLogger(false));
  return messages;
}
