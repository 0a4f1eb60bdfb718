/**
 * A node's side of the talk with one balancer: registers, reports, takes in what it answers. A report that is not answered holds up
 * no later one, so that what is lost on the way costs one exchange: each says all that counts, and what is old is known as such.
 */
import type { RegisterReply } from "../http/balancer-api.ts";
import type { JsonClient } from "../http/json-client.ts";
import type { DesiredState, NodeAnswer, NodeReport } from "../balancer/node-reports.ts";
import type { NodeRegistration } from "../registry/server-node.ts";

export interface BalancerLinkOptions {
  readonly url: string;
  readonly client: JsonClient;
  readonly registration: () => NodeRegistration;
  /** A JWT, signed with the node's key. */
  readonly sign: () => Promise<string>;
  readonly report: (url: string) => NodeReport;
  readonly onRegistered: (reply: RegisterReply) => void;
  readonly onAnswer: (url: string, answer: NodeAnswer) => void;
  /** An operator has unregistered it. */
  readonly onUnregistered: () => void;
  readonly log: (line: string) => void;
}

const TIMEOUT_MS = 1000;
/** On their way at once. */
const MAX_EXCHANGES = 4;
/** One that was asked for; or two after registering, so that the balancer has a lease. */
const MAX_REPORTS_AT_ONCE = 2;
const REGISTER_TIMEOUT_MS = 5000;
/** Between attempts to register that failed: doubled each time. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

export class BalancerLink {
  readonly url: string;
  readonly #options: BalancerLinkOptions;
  #session: string | undefined;
  readonly #exchanging: Set<Promise<void>> = new Set();
  #retryMs = FIRST_RETRY_MS;
  #retryAt = 0;
  #isLast = false;
  /** When it last answered; -Infinity: never. */
  answeredAt: number = -Infinity;
  /** What an operator wants of the node, as this balancer last said. */
  desired: DesiredState = "ready";
  readonly since: number = performance.now();

  constructor(options: BalancerLinkOptions) {
    this.url = options.url;
    this.#options = options;
  }

  get isRegistered(): boolean {
    return this.#session !== undefined;
  }

  /** The next exchange, or those that are on their way, where they are as many as may be. Never rejects. */
  async exchange(now: number): Promise<void> {
    const most = this.#session === undefined ? 1 : MAX_EXCHANGES;
    if (this.#exchanging.size < most && now >= this.#retryAt) {
      const exchanging = this.#exchange().finally(() => this.#exchanging.delete(exchanging));
      this.#exchanging.add(exchanging);
    }
    await Promise.all(this.#exchanging);
  }

  /** One more report, where it is registered: after the one that is on its way. Never rejects. */
  async finish(): Promise<void> {
    this.#isLast = true;
    await Promise.all(this.#exchanging);
    if (this.#session !== undefined) await this.exchange(Infinity);
  }

  async #exchange(): Promise<void> {
    try {
      // A balancer that is new to the node, or has forgotten it, is not of use before it has had a report.
      if (this.#session === undefined) await this.#register();
      let reportsNow = await this.#report();
      for (let i = 0; i < MAX_REPORTS_AT_ONCE && reportsNow; i++) reportsNow = await this.#report();
      this.answeredAt = performance.now();
      this.#retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (this.#session === undefined) {
        this.#options.log(`balancer ${this.url}: ${error instanceof Error ? error.message : String(error)}`);
        this.#retryAt = performance.now() + this.#retryMs;
        this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      }
    }
  }

  /** What is registered has changed. */
  registerAnew(): void {
    this.#session = undefined;
    this.#retryAt = 0;
  }

  async #register(): Promise<void> {
    const { client, registration, sign, onRegistered, onUnregistered } = this.#options;
    const headers = { authorization: `Bearer ${await sign()}` };
    const reply = await client.send(`${this.url}/v1/nodes`, registration(), {
      timeoutMs: REGISTER_TIMEOUT_MS,
      headers,
    });
    if (reply.status === 409) onUnregistered();
    if (reply.status !== 200) throw new Error(`registering was answered with ${reply.status}: ${errorOf(reply.body)}`);
    const registered = reply.body as RegisterReply;
    this.#session = registered.session;
    onRegistered(registered);
  }

  /** Whether the next one is to follow at once. */
  async #report(): Promise<boolean> {
    const { client, registration, report, onAnswer } = this.#options;
    const session = this.#session;
    const headers = { authorization: `Bearer ${session}` };
    const url = `${this.url}/v1/nodes/${registration().id}/report`;
    const reply = await client.send(url, report(this.url), { timeoutMs: TIMEOUT_MS, headers });
    if (reply.status === 401) {
      // Another exchange may have registered meanwhile.
      if (session !== this.#session) return false;
      this.registerAnew();
      if (this.#isLast) return false;
      await this.#register();
      return true;
    }
    if (reply.status !== 200) throw new Error(`a report was answered with ${reply.status}: ${errorOf(reply.body)}`);
    const answer = reply.body as NodeAnswer;
    onAnswer(this.url, answer);
    // The first answer of a session is not yet worth a lease: an echo of it is.
    return answer.seats.turn === 1 || answer.seats.reportNow === true;
  }
}

function errorOf(body: unknown): string {
  return typeof body === "object" && body !== null && "error" in body ? String(body.error) : "no reason given";
}
