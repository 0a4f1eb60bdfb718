/**
 * Finds a server to play on: measures how far regions are, asks a balancer, asks the next one when that is silent, waits in
 * the queue when the fleet is full. For browsers and Node.
 */
import { BalancerCalls } from "./balancer-calls.ts";
import type { BalancerAnswer } from "./balancer-calls.ts";
import { measureLatencies } from "./beacons.ts";
import type { Beacon } from "./beacons.ts";
import { FleetError } from "./fleet-error.ts";
import type { FleetErrorCode } from "./fleet-error.ts";
import { solveChallenge } from "./proof.ts";

export interface FleetClientOptions {
  /** Addresses of balancers, or of what stands before them; at least one, better all. */
  readonly balancers: readonly string[];
  /** The player's token (a JWT) of your backend, where balancers ask for one; or how to get it, which is called for each request. */
  readonly authorization?: string | (() => string | Promise<string>);
  /** A balancer that is silent for so long is not waited for alone: the next one is asked as well. Default 400 ms. */
  readonly hedgeAfterMs?: number;
  /** Gives up when nothing good was heard for so long; waiting in a queue does not count. Default 20000 ms. */
  readonly giveUpAfterMs?: number;
  /** How long regions are measured at most, the first time. Default 1000 ms; 0: not at all. */
  readonly measureForMs?: number;
}

export interface ServerRequest {
  /** Who is to play, by decimal client id: one player, or a party that gets seats on one server. At most 64. */
  readonly clientIds: readonly string[];
  /** Default: the server's default room. */
  readonly room?: string;
  /** What the server must have. */
  readonly filter?: {
    readonly version?: string;
    readonly gameMode?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly regions?: readonly string[];
    /** Servers that did not let the player in: `nodeId` of a `Place`. */
    readonly exceptNodes?: readonly string[];
  };
  /** For the game's `join`, at most 192 bytes; by client id. */
  readonly userData?: Readonly<Record<string, Uint8Array>>;
  /**
   * Round trips to regions in ms, by client id: of a party each player measures by its own `measure()`, and all of them count.
   * Default: the first one's, measured here.
   */
  readonly latencies?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Called with each news from the queue. */
  readonly onWaiting?: (place: PlaceInQueue) => void;
  /** Aborting leaves the queue; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface PlaceInQueue {
  /** 1 is next. */
  readonly position: number;
  readonly estimatedWaitMs?: number;
}

export interface PlayerSeat {
  readonly clientId: string;
  /** Connect token, 2048 bytes: admits this player to this server, once, for a short time. */
  readonly token: Uint8Array;
}

/** Where to play. For `connect(game, place.url, { token: place.token })`. */
export interface Place {
  readonly nodeId: string;
  readonly region: string;
  readonly version: string;
  readonly url: string;
  /** Of the first player. */
  readonly token: Uint8Array;
  /** Of all, in the order of `clientIds`. */
  readonly seats: readonly PlayerSeat[];
  /** ms from when the answer came until the tokens expire. */
  readonly expiresInMs: number;
}

/** Measurements are good for so long. */
const MEASURED_FOR_MS = 600_000;
const ASK_AGAIN_MS = 200;

/** Refusals that may be others in a moment; the rest are final. */
const PASSING: ReadonlyMap<string, FleetErrorCode> = new Map([
  ["askAgain", "unreachable"],
  ["starting", "unreachable"],
  ["closing", "unreachable"],
  ["noNodes", "noServers"],
  ["tooManyRequests", "limited"],
]);
const FINAL: ReadonlyMap<string, FleetErrorCode> = new Map([
  ["noMatch", "noMatch"],
  ["queueFull", "queueFull"],
  ["tooManySeats", "limited"],
]);

export class FleetClient {
  readonly #calls: BalancerCalls;
  readonly #giveUpAfterMs: number;
  readonly #measureForMs: number;
  #latencies: { readonly values: Readonly<Record<string, number>>; readonly at: number } | undefined;

  /** Throws a `TypeError` for what is no address. */
  constructor(options: FleetClientOptions) {
    const { balancers, authorization, hedgeAfterMs = 400, giveUpAfterMs = 20_000, measureForMs = 1000 } = options;
    if (balancers.length === 0) throw new TypeError("give the address of at least one balancer");
    for (const url of balancers)
      if (!/^https?:/.test(url) || !URL.canParse(url))
        throw new TypeError(`a balancer's address is like "https://eu.example.com", not "${url}"`);
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#measureForMs = measureForMs;
    this.#calls = new BalancerCalls({
      balancers,
      authorization: typeof authorization === "string" ? () => authorization : authorization,
      hedgeAfterMs,
      giveUpAfterMs,
    });
  }

  /** Rejects with a `FleetError` that says what to do, or with the signal's reason. */
  async findServer(request: ServerRequest): Promise<Place> {
    const { clientIds, signal, onWaiting } = request;
    if (clientIds.length === 0) throw new RangeError("name at least one client");
    const latencies = request.latencies ?? { [clientIds[0]]: await this.#measured(clientIds[0], signal) };
    const ask = new Ask({ ...request, latencies });
    let giveUpAt = performance.now() + this.#giveUpAfterMs;
    try {
      for (;;) {
        const answer = await this.#calls.post("/v1/allocate", (attempt) => ask.body(attempt), signal);
        const { body, status } = answer;
        if (status === 200) return placeOf(body);
        if (status === 202) {
          const { ticket, position, estimatedWaitMs, askAgainInMs } = body as unknown as WaitingReply;
          ask.ticket = ticket;
          onWaiting?.({ position, ...(estimatedWaitMs === undefined ? {} : { estimatedWaitMs }) });
          await sleep(askAgainInMs, signal);
          giveUpAt = performance.now() + this.#giveUpAfterMs;
        } else if (status === 428) {
          // As from behind what sends each request to another balancer than the one that gave the challenge.
          if (performance.now() > giveUpAt) throw new FleetError("limited", messageOf(answer));
          const { challenge, bits } = body as { readonly challenge: string; readonly bits: number };
          ask.proof = { challenge, solution: await solveChallenge({ challenge, bits }, signal) };
        } else if (body.code === "badTicket" || body.code === "expired") {
          if (performance.now() > giveUpAt) throw new FleetError("unreachable", messageOf(answer));
          if (body.code === "expired") ask.renew();
          ask.ticket = undefined;
          await sleep(ASK_AGAIN_MS / 4, signal);
        } else {
          if (body.code === "askAgain") ask.retries++;
          await this.#bear(answer, giveUpAt, signal);
        }
      }
    } catch (error) {
      if (ask.ticket !== undefined) this.#calls.tellAll("DELETE", `/v1/queue/${ask.key}`);
      throw error;
    }
  }

  /** Round trips to regions in ms, measured now. `findServer` measures by itself, at most every ten minutes. */
  async measure(clientId?: string, signal?: AbortSignal): Promise<Readonly<Record<string, number>>> {
    const timeout = AbortSignal.timeout(Math.max(this.#measureForMs, 1));
    const query = clientId === undefined ? "" : `?client=${clientId}`;
    const stop = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const answer = await this.#calls.get(`/v1/beacons${query}`, stop).catch(() => undefined);
    if (answer?.status !== 200) return {};
    const values = await measureLatencies(answer.body.beacons as readonly Beacon[], this.#measureForMs, signal);
    this.#latencies = { values, at: performance.now() };
    return values;
  }

  async #measured(clientId: string, signal: AbortSignal | undefined): Promise<Readonly<Record<string, number>>> {
    if (this.#measureForMs === 0) return {};
    const known = this.#latencies;
    if (known !== undefined && performance.now() - known.at < MEASURED_FOR_MS) return known.values;
    return this.measure(clientId, signal);
  }

  /** Waits a moment after a refusal that may pass; throws for others. */
  async #bear(answer: BalancerAnswer, giveUpAt: number, signal?: AbortSignal): Promise<void> {
    const { status, body, retryAfterMs } = answer;
    const { code } = body;
    const message = messageOf(answer);
    const final = FINAL.get(String(code)) ?? (status === 401 || status === 403 ? "denied" : undefined);
    const passing = final === undefined ? PASSING.get(String(code)) : undefined;
    if (passing === undefined) throw new FleetError(final ?? "badRequest", message);
    const waitMs = code === "askAgain" ? ASK_AGAIN_MS / 4 : (retryAfterMs ?? ASK_AGAIN_MS);
    if (performance.now() + waitMs > giveUpAt) throw new FleetError(passing, message);
    this.#calls.turn();
    await sleep(waitMs, signal);
  }
}

function messageOf({ status, body: { error } }: BalancerAnswer): string {
  return typeof error === "string" ? error : `a balancer answered ${status}`;
}

interface WaitingReply {
  readonly ticket: string;
  readonly position: number;
  readonly estimatedWaitMs?: number;
  readonly askAgainInMs: number;
}

/** One request, from the first attempt to the seat. */
class Ask {
  key: string = newKey();
  ticket: string | undefined;
  /** Answers that left it open whether a balancer has given a seat. */
  retries = 0;
  proof: { readonly challenge: string; readonly solution: string } | undefined;
  readonly #request: object;

  constructor({ clientIds, room, filter, userData = {}, latencies = {} }: ServerRequest) {
    const clients = clientIds.map((clientId) => ({
      clientId,
      ...(userData[clientId] === undefined ? {} : { userData: btoa(String.fromCharCode(...userData[clientId])) }),
      ...(latencies[clientId] === undefined ? {} : { latencies: latencies[clientId] }),
    }));
    this.#request = { clients, ...(room === undefined ? {} : { room }), ...(filter === undefined ? {} : { filter }) };
  }

  body(attempt: number): string {
    const { key, ticket, proof, retries } = this;
    return JSON.stringify({
      key,
      ...this.#request,
      ...(ticket === undefined ? {} : { ticket }),
      ...(proof === undefined ? {} : { proof }),
      ...(attempt + retries === 1 ? {} : { attempt: attempt + retries }),
    });
  }

  /** The answer to the old key has expired. */
  renew(): void {
    this.key = newKey();
    this.ticket = undefined;
    this.retries = 0;
  }
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

interface AllocatedReply {
  readonly node: {
    readonly id: string;
    readonly region: string;
    readonly version: string;
    readonly addresses: { readonly udp: readonly string[]; readonly websocket?: string };
  };
  readonly seats: readonly { readonly clientId: string; readonly token: string }[];
  readonly expiresInMs: number;
}

function placeOf(body: Readonly<Record<string, unknown>>): Place {
  const { node, seats, expiresInMs } = body as unknown as AllocatedReply;
  const { id: nodeId, region, version, addresses } = node;
  const read = seats.map(({ clientId, token }) => ({
    clientId,
    token: Uint8Array.from(atob(token), (character) => character.charCodeAt(0)),
  }));
  const url = addresses.websocket ?? `http://${addresses.udp[0]}`;
  return { nodeId, region, version, url, token: read[0].token, seats: read, expiresInMs };
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const abort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
