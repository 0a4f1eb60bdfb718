/**
 * Talks to the other balancers: gossip to each of them a few times a second, claims and requests when there are any. Claims
 * that come while others are on their way go together with the next message, so that many a second cost few messages.
 */
import type { JsonClient } from "../http/json-client.ts";
import type { PeerPath } from "../http/balancer-api.ts";
import type { PeerMac } from "./peer-mac.ts";
import { PEER_MAC_HEADER } from "./peer-mac.ts";

/** Messages with claims that are on their way to one balancer at once, and claims in each. */
const MAX_FLYING = 4;
const MAX_BATCH = 256;

export interface PeerLinkOptions {
  readonly client: JsonClient;
  readonly mac: PeerMac;
  /** Of this balancer: goes with every message. */
  readonly self: string;
}

/** The other one has surely not got it. */
export class NotSentError extends Error {
  override readonly name: string = "NotSentError";
}

interface PendingClaim {
  readonly claim: unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface ClaimQueue {
  readonly pending: PendingClaim[];
  flying: number;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #queues: Map<string, ClaimQueue> = new Map();

  constructor(options: PeerLinkOptions) {
    this.#options = options;
  }

  /** Rejects when there is no answer within `timeoutMs`, or it is a refusal. */
  async post(url: string, path: PeerPath, body: unknown, timeoutMs: number): Promise<unknown> {
    const { client, mac, self } = this.#options;
    const text = JSON.stringify({ from: self, body });
    const route = `/v1/peer/${path}`;
    const headers = { [PEER_MAC_HEADER]: mac.sign(route, text) };
    const reply = await client.send(`${url}${route}`, text, { timeoutMs, headers });
    if (reply.status !== 200) throw new Error(`${url} answered ${reply.status} to ${path}`);
    return reply.body;
  }

  /** One claim's answer, from a message with others. */
  claim(url: string, claim: unknown, timeoutMs: number): Promise<unknown> {
    let queue = this.#queues.get(url);
    if (queue === undefined) this.#queues.set(url, (queue = { pending: [], flying: 0 }));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    queue.pending.push({ claim, resolve, reject });
    this.#fly(url, queue, timeoutMs);
    return promise;
  }

  /** What was queued behind a message that was not answered does not wait for another one. */
  #rejectQueued(queue: ClaimQueue, url: string, cause: unknown): void {
    for (const { reject } of queue.pending.splice(0)) reject(new NotSentError(`${url} does not answer`, { cause }));
  }

  #fly(url: string, queue: ClaimQueue, timeoutMs: number): void {
    if (queue.flying >= MAX_FLYING || queue.pending.length === 0) return;
    const batch = queue.pending.splice(0, MAX_BATCH);
    queue.flying++;
    const claims = batch.map(({ claim }) => claim);
    void this.post(url, "claim", claims, timeoutMs).then(
      (answers) => {
        const list: readonly unknown[] = Array.isArray(answers) ? answers : [];
        batch.forEach(({ resolve, reject }, i) => {
          if (i < list.length) resolve(list[i]);
          else reject(new Error(`${url} answered ${list.length} of ${batch.length} claims`));
        });
        this.#land(url, queue, timeoutMs);
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
        this.#rejectQueued(queue, url, error);
        this.#land(url, queue, timeoutMs);
      },
    );
  }

  #land(url: string, queue: ClaimQueue, timeoutMs: number): void {
    queue.flying--;
    if (queue.flying === 0 && queue.pending.length === 0) this.#queues.delete(url);
    else this.#fly(url, queue, timeoutMs);
  }
}
