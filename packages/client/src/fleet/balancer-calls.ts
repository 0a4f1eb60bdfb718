/**
 * Asks several balancers for one answer. Where one is silent for a moment the next is asked as well, and whoever answers first
 * counts: balancers give the same answer to the same key, so nothing is asked for twice.
 */
import { FleetError } from "./fleet-error.ts";

export interface BalancerCallsOptions {
  /** Addresses, at least one. */
  readonly balancers: readonly string[];
  readonly authorization: (() => string | Promise<string>) | undefined;
  /** Silence after which the next one is asked as well. */
  readonly hedgeAfterMs: number;
  /** Silence of all after which it rejects. */
  readonly giveUpAfterMs: number;
}

export interface BalancerAnswer {
  readonly balancer: string;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Of the `Retry-After` header. */
  readonly retryAfterMs: number | undefined;
}

/** Between attempts when all balancers refuse: doubled each time, up to the last. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 1000;
/** Of these the balancer is at fault, and another one may do better. */
const BROKEN = new Set([408, 500, 502, 504]);

export class BalancerCalls {
  readonly #options: BalancerCallsOptions;
  /** Who is asked first: at random, then who answered last. */
  #first: number;

  constructor(options: BalancerCallsOptions) {
    this.#options = options;
    this.#first = Math.floor(Math.random() * options.balancers.length);
  }

  /** The next time another one is asked first. */
  turn(): void {
    this.#first = (this.#first + 1) % this.#options.balancers.length;
  }

  /** `bodyOf` is given which attempt it is, from 1. Rejects with a `FleetError` "unreachable", or the signal's reason. */
  async post(
    path: string,
    bodyOf: (attempt: number) => string,
    signal: AbortSignal | undefined,
  ): Promise<BalancerAnswer> {
    const { balancers, hedgeAfterMs, giveUpAfterMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<BalancerAnswer>();
    const losers = new AbortController();
    const first = this.#first;
    let [launched, flying, failed] = [0, 0, 0];
    let lastError: unknown;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const launchIn = (ms: number): void => {
      clearTimeout(timer);
      if (flying < balancers.length) timer = setTimeout(launch, ms);
    };
    const launch = (): void => {
      const place = (first + launched) % balancers.length;
      launched++;
      flying++;
      launchIn(hedgeAfterMs);
      this.#send("POST", balancers[place], path, bodyOf(launched), losers.signal).then(
        (answer) => {
          this.#first = place;
          resolve(answer);
        },
        (error: unknown) => {
          flying--;
          lastError = error;
          const rounds = Math.floor(++failed / balancers.length);
          if (!losers.signal.aborted)
            launchIn(launched < balancers.length ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** rounds, LAST_PAUSE_MS));
        },
      );
    };
    const giveUp = setTimeout(() => {
      const message = `no balancer has answered for ${giveUpAfterMs / 1000} s: ${balancers.join(", ")}`;
      reject(new FleetError("unreachable", message, { cause: lastError }));
    }, giveUpAfterMs);
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener("abort", abort);
    try {
      signal?.throwIfAborted();
      launch();
      return await promise;
    } finally {
      losers.abort();
      clearTimeout(timer);
      clearTimeout(giveUp);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** From the one that is asked first, in one attempt. */
  get(path: string, signal: AbortSignal): Promise<BalancerAnswer> {
    return this.#send("GET", this.#options.balancers[this.#first], path, undefined, signal);
  }

  /** To all of them, without waiting for answers. */
  tellAll(method: "DELETE", path: string): void {
    for (const balancer of this.#options.balancers)
      this.#send(method, balancer, path, undefined, AbortSignal.timeout(this.#options.giveUpAfterMs)).catch(
        () => undefined,
      );
  }

  async #send(
    method: "GET" | "POST" | "DELETE",
    balancer: string,
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<BalancerAnswer> {
    const { authorization } = this.#options;
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (authorization !== undefined) headers.authorization = `Bearer ${await authorization()}`;
    const response = await fetch(new URL(path, balancer), {
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    });
    const answer: unknown = response.status === 204 ? {} : await response.json();
    if (typeof answer !== "object" || answer === null || BROKEN.has(response.status))
      throw new Error(`${balancer} answered ${response.status}, but not as a balancer does`);
    const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
    return {
      balancer,
      status: response.status,
      body: answer as Readonly<Record<string, unknown>>,
      retryAfterMs: retryAfter >= 0 ? retryAfter * 1000 : undefined,
    };
  }
}
