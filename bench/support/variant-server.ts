import type { Variant } from './application.js';
import { Child } from './children.js';
import type { Load } from './clients.js';

/** The server process of one variant, as the benchmarks drive it. */
export class VariantServer {
  static async start(variant: Variant, clients: Child, redisSocket?: string): Promise<VariantServer> {
    const args = redisSocket === undefined ? [variant] : [variant, redisSocket];
    const child = new Child('./server.js', import.meta.url, { args });
    return new VariantServer(variant, child, clients, await child.answer<number>());
  }

  private constructor(
    readonly variant: Variant,
    private readonly child: Child,
    private readonly clients: Child,
    private readonly port: number,
  ) {}

  /** Signs in so many users; answers the session cookies, as they are sent with later requests. */
  async signIn(count: number): Promise<string[]> {
    const cookies: string[] = [];
    for (let index = 0; index < count; index++) {
      const response = await fetch(`http://127.0.0.1:${this.port}/sign-in`, { method: 'POST' });
      await response.arrayBuffer();
      const [cookie] = response.headers.getSetCookie();
      if (cookie === undefined) throw new Error(`The sign-in answered ${response.status} without a cookie.`);
      cookies.push(cookie.split(';', 1)[0]!);
    }
    return cookies;
  }

  /** Sends a block of requests; answers what it took, in milliseconds of time and of the server's CPU time. */
  async load(load: Omit<Load, 'port'>): Promise<{ milliseconds: number; cpuMilliseconds: number }> {
    const before = await this.#cpuTime();
    const milliseconds = await this.clients.ask<number>({ ...load, port: this.port });
    return { milliseconds, cpuMilliseconds: ((await this.#cpuTime()) - before) / 1000 };
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }

  async #cpuTime(): Promise<number> {
    const { user, system } = await this.child.ask<NodeJS.CpuUsage>({});
    return user + system;
  }
}
