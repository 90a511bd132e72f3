import type { NextFunction, Request, Response } from 'express';

const READING = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses what a page of another site posts here. Every current browser says where a request comes from
 * (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site); the `SameSite` cookie covers the rest.
 */
export function refuseCrossSiteWrites(request: Request, response: Response, next: NextFunction): void {
  const site = request.get('sec-fetch-site');
  if (READING.includes(request.method) || site === undefined || site === 'same-origin') next();
  else response.status(403).type('text').send('Requests from other sites are refused.');
}
