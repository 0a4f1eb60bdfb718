/**
 * Players who come at a steady rate, whatever became of those before, and do as docs/fleet.md says: one key for all attempts, the
 * next balancer when one does not answer, a new key and not that node again when a node does not let them in. Notes what each
 * was told, and when.
 */
import { Agent, request } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AllocateReply, AllocateRequest, Allocation } from "@riposte/fleet";
import type { BalancerProcess } from "./balancer-process.ts";
import type { NodeProcess } from "./node-process.ts";

export interface PlayersOptions {
  readonly balancers: readonly Pick<BalancerProcess, "url">[];
  readonly nodes: readonly NodeProcess[];
  /** Default 200. */
  readonly perSec?: number;
  /** After so long without an answer a player asks elsewhere. Default 400. */
  readonly attemptMs?: number;
  /** Leave at once, so that seats do not run out. Default false. */
  readonly leave?: boolean;
  /** Default 15000. */
  readonly patienceMs?: number;
}

/** An answer that a player got. */
export interface Told {
  readonly body: AllocateRequest;
  readonly answer: Allocation;
  /** Which balancer said it. */
  readonly by: string;
  /** By `performance.now`. */
  readonly at: number;
}

export interface PlayerStory {
  readonly clientId: string;
  readonly startedAt: number;
  /** From the first question to the first answer that is none of "wait" or "ask again". */
  readonly answeredMs: number;
  /** Until then: how often it asked. */
  readonly attempts: number;
  /** The last one is the one that was good. */
  readonly told: readonly Told[];
  /** Why nodes did not let it in. */
  readonly turnedAway: readonly string[];
}

/** Between attempts, doubled each time. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1280;
const ATTEMPT_MS = 400;
const LONGEST_ATTEMPT_MS = 3200;
let lastClient = 0;

export class Players {
  readonly stories: PlayerStory[] = [];
  /** Players who got no seat in time. */
  readonly lost: string[] = [];
  readonly #options: PlayersOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4096 });
  readonly #delay = monitorEventLoopDelay({ resolution: 5 });
  /** By status and code. */
  readonly #answers: Map<string, number> = new Map();
  readonly #playing: Set<Promise<void>> = new Set();
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(options: PlayersOptions) {
    this.#options = options;
  }

  /** From now on. */
  start(): void {
    this.#delay.enable();
    this.#running = this.#run();
  }

  /** No new ones. Resolves when all who came have a seat, or none. */
  async finish(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#playing);
    this.#delay.disable();
    this.#agent.destroy();
  }

  /** By which times measured here may be too long: how late this process was at most. */
  get latenessMs(): number {
    return this.#delay.max / 1e6;
  }

  /** Sorted, in ms, of players who came in that time. */
  answerTimes(from: number = -Infinity, to: number = Infinity): number[] {
    return this.stories
      .filter(({ startedAt }) => startedAt >= from && startedAt < to)
      .map(({ answeredMs }) => answeredMs)
      .sort((a, b) => a - b);
  }

  /** For a person. */
  get summary(): string {
    const times = this.answerTimes();
    const at = (share: number): string =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(0);
    const away = new Map<string, number>();
    for (const why of this.stories.flatMap(({ turnedAway }) => turnedAway)) away.set(why, (away.get(why) ?? 0) + 1);
    return (
      `${times.length} players; answered in ${at(0.5)} ms (half), ${at(0.99)} ms (99 %), ${at(1)} ms (longest), this process ` +
      `being late by up to ${this.latenessMs.toFixed(0)} ms; answers ${JSON.stringify(Object.fromEntries(this.#answers))}, ` +
      `turned away: ${JSON.stringify(Object.fromEntries(away))}`
    );
  }

  /** Asks a balancer once more; undefined: no answer, or a refusal. */
  async ask(url: string, body: object): Promise<AllocateReply | undefined> {
    return (await this.#ask(url, body, this.#options.attemptMs ?? ATTEMPT_MS)).reply;
  }

  async #ask(url: string, body: object, timeoutMs: number): Promise<Answer> {
    const answer = await post(this.#agent, url, body, timeoutMs);
    this.#answers.set(answer.status, (this.#answers.get(answer.status) ?? 0) + 1);
    return answer;
  }

  async #run(): Promise<void> {
    const { perSec = 200 } = this.#options;
    const startedAt = performance.now();
    for (let i = 0; !this.#stopped; i++) {
      const dueAt = startedAt + (i * 1000) / perSec;
      const earlyMs = dueAt - performance.now();
      if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
      const playing = this.#play(String(++lastClient)).finally(() => this.#playing.delete(playing));
      this.#playing.add(playing);
    }
  }

  async #play(clientId: string): Promise<void> {
    const { balancers, patienceMs = 15_000, attemptMs = ATTEMPT_MS } = this.#options;
    const startedAt = performance.now();
    const told: Told[] = [];
    const turnedAway: string[] = [];
    let keys = 0;
    let attempts = 0;
    let failed = 0;
    let answeredMs: number | undefined;
    let pauseMs = FIRST_PAUSE_MS;
    let next = Number(clientId);
    let [ticket, attempt]: [string | undefined, number] = [undefined, 0];
    while (performance.now() - startedAt < patienceMs) {
      const { url } = balancers[next++ % balancers.length];
      const tried = new Set(told.map(({ answer }) => answer.node.id));
      const body = bodyOf(clientId, keys, { ticket, attempt: ++attempt, tried });
      // All are asked once before it is more patient with each.
      const timeoutMs = Math.min(attemptMs * 2 ** Math.floor(failed / balancers.length), LONGEST_ATTEMPT_MS);
      const { reply, status } = await this.#ask(url, body, timeoutMs);
      if (status === "410 expired") {
        keys++;
        [ticket, attempt] = [undefined, 0];
      }
      if (reply?.status === "waiting") {
        ({ ticket } = reply);
        await new Promise((resolve) => setTimeout(resolve, reply.askAgainInMs));
        continue;
      }
      if (reply?.status !== "allocated") {
        failed++;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        continue;
      }
      answeredMs ??= performance.now() - startedAt;
      attempts ||= attempt;
      told.push({ body, answer: reply, by: url, at: performance.now() });
      const why = await this.#arrive(reply);
      if (why === "") {
        this.stories.push({ clientId, startedAt, answeredMs, attempts, told, turnedAway });
        return;
      }
      turnedAway.push(why);
      keys++;
      [ticket, attempt] = [undefined, 0];
    }
    this.lost.push(`${clientId} after ${told.length} answers: ${turnedAway.join(", ")}`);
  }

  async #arrive({ node, seats }: Allocation): Promise<string> {
    const host = this.#options.nodes.find(({ nodes }) => nodes.includes(node.id));
    const { clientId, token } = seats[0];
    const why = (await host?.arrive({ node: node.id, clientId, token })) ?? "nobody answers";
    if (why === "" && this.#options.leave === true) await host?.leave([{ node: node.id, clientId }]);
    return why;
  }
}

function bodyOf(
  clientId: string,
  keys: number,
  known: { readonly ticket: string | undefined; readonly attempt: number; readonly tried: ReadonlySet<string> },
): AllocateRequest {
  return {
    key: `player-${clientId.padStart(10, "0")}-${keys}`,
    clients: [{ clientId }],
    ...(known.tried.size > 0 && { filter: { exceptNodes: [...known.tried] } }),
    ...(known.ticket !== undefined && { ticket: known.ticket }),
    ...(known.attempt > 1 && { attempt: known.attempt }),
  };
}

interface Answer {
  readonly status: string;
  /** Undefined where it was refused. */
  readonly reply: AllocateReply | undefined;
}

function post(agent: Agent, url: string, body: object, timeoutMs: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const none = (why: string): void => resolve({ status: why, reply: undefined });
  const text = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  const sent = request(`${url}/v1/allocate`, { method: "POST", agent, headers }, (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("error", () => none("broken off"));
    response.on("end", () => {
      const { statusCode } = response;
      const reply = JSON.parse(Buffer.concat(parts).toString()) as AllocateReply & { readonly code?: string };
      if (statusCode === 200 || statusCode === 202) resolve({ status: String(statusCode), reply });
      else none(`${statusCode} ${reply.code}`);
    });
  });
  const timer = setTimeout(() => {
    none("none in time");
    sent.destroy();
  }, timeoutMs);
  sent.on("error", (error: NodeJS.ErrnoException) => none(error.code ?? error.message));
  sent.on("close", () => clearTimeout(timer));
  sent.end(text);
  return promise;
}
