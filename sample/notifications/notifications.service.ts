import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';

const NEWS_EVERY_MS = 12_000;
const NEWS = [
  'Laboratory: the results of Rafael Duarte are here',
  'Pharmacy: the prescription of Ingrid Aalto is ready',
  'Hospital: a letter about Jonas Okafor has arrived',
];

/** News for everybody who is signed in: what colleagues do, and what laboratory and pharmacy send. */
@Injectable()
export class NotificationsService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #news = new Subject<string>();
  #sent = 0;
  #timer?: NodeJS.Timeout;

  get news$(): Observable<string> {
    return this.#news.asObservable();
  }

  announce(text: string): void {
    this.#news.next(text);
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.announce(NEWS[this.#sent++ % NEWS.length]!), NEWS_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
    this.#news.complete();
  }
}
