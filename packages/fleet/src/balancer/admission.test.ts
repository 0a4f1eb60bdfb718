import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { Random } from "@riposte/protocol";
import { DEFAULT_CONFIG } from "../config/config-defaults.ts";
import { RecordedTraffic } from "../config/recorded-traffic.ts";
import type { AllocateReply, AllocateRequest } from "../http/balancer-api.ts";
import { PlayerOrigins } from "../metrics/player-origins.ts";
import { QueueTickets } from "../queue/queue-ticket.ts";
import { WaitingQueue } from "../queue/waiting-queue.ts";
import { ClaimBook } from "../seats/claim-book.ts";
import { Admission } from "./admission.ts";
import type { AddressedRequest, AdmissionOptions } from "./admission.ts";
import type { AllocationClaim, AllocationFacts, Placement } from "./allocator.ts";

const IP = "192.0.2.1";

/** A balancer whose regions have as many seats as the test says. */
class Setting {
  now = 1000;
  readonly seats: Record<string, number> = {};
  /** Requests that are being placed, and how to let them go on. */
  readonly held: (() => void)[] = [];
  isHolding = false;
  readonly placed: string[] = [];
  readonly silent: Set<string> = new Set();
  readonly asked: string[] = [];
  readonly claims = new ClaimBook<AllocationFacts>({ self: "a" });
  readonly admission: Admission;
  readonly #queue: WaitingQueue<AddressedRequest>;

  constructor(admissionsPerSec: number = Infinity) {
    const queue = { maxWaiting: 1000, admissionsPerSec, patienceMs: 15_000 };
    this.#queue = new WaitingQueue(queue, new Random(1), this.now);
    this.admission = new Admission({
      allocator: { place: (request) => this.#place(request), reply: replyTo },
      claims: this.claims,
      queue: this.#queue,
      tickets: new QueueTickets({ mac: () => "mac" }),
      peers: {
        find: async (key) => {
          this.asked.push(key);
          return undefined;
        },
        forward: async () => undefined,
      },
      routes: { of: ({ clients }) => ({ clients }) },
      lastRegions: { note: () => undefined },
      origins: new PlayerOrigins(),
      recorded: new RecordedTraffic(),
      config: () => queue,
      isSilent: (nodeId) => this.silent.has(nodeId),
      perClient: () => 3,
      hearsNodes: () => true,
      now: () => this.now,
      unixMs: () => this.now,
    });
  }

  allocate(key: string, region: string, more: Partial<AllocateRequest> = {}): Promise<AllocateReply> {
    return this.admission.allocate({ ...requestOf(key, region), ...more }, IP);
  }

  /** As the balancer does, for so long. */
  async pumpFor(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; this.now += 50) {
      this.admission.pump();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #place(request: AllocateRequest): Promise<Placement> {
    const region = request.filter?.regions?.[0] ?? "";
    if (!((this.seats[region] ?? 0) > 0)) return { refused: "full" };
    this.seats[region]--;
    if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
    this.placed.push(request.key);
    return { claim: claimOf(request) };
  }
}

function requestOf(key: string, region: string): AllocateRequest {
  return { key, clients: [{ clientId: "7" }], filter: { regions: [region] } };
}

function claimOf({ key, clients }: AllocateRequest): AllocationClaim {
  const answer = { region: "eu", strategy: "composite", room: "", issuedAt: 0, expireSeconds: 30, timeoutSeconds: 10 };
  const seats = clients.map(({ clientId }, seat) => ({ clientId, seat }));
  const facts = { ...answer, addresses: [], userData: [] } as unknown as AllocationFacts;
  return { key, epoch: 1, seats, until: 61_000, by: "a", nodeId: "eu-1", answer: facts };
}

function replyTo({ seats }: AllocationClaim): AllocateReply {
  const node = { id: "eu-1", region: "eu", version: "1", addresses: { udp: [] } };
  const tokens = seats.map(({ clientId }) => ({ clientId, token: "" }));
  return { status: "allocated", node, seats: tokens, expiresInMs: 30_000 };
}

describe("Admission", () => {
  it("does not wait for one answer after the other while it serves the queue", async () => {
    const setting = new Setting();
    for (let i = 0; i < 20; i++) await setting.allocate(`player ${i}`, "eu");
    setting.seats.eu = 20;
    setting.isHolding = true;
    await setting.pumpFor(200);
    assert.equal(setting.held.length, 16);
    for (const goOn of setting.held.splice(0)) goOn();
    await setting.pumpFor(200);
    for (const goOn of setting.held) goOn();
    await setting.pumpFor(200);
    assert.equal(setting.placed.length, 20);
  });

  it("gives the answer of a key to nobody but those whose it is, also while it is worked on", async () => {
    const setting = new Setting();
    setting.seats.eu = 10;
    setting.isHolding = true;
    const own = setting.allocate("key", "eu");
    const others = setting.allocate("key", "eu", { clients: [{ clientId: "8" }] });
    const more = setting.allocate("key", "eu", { clients: [{ clientId: "7" }, { clientId: "8" }] });
    for (const goOn of setting.held) goOn();
    assert.equal((await own).status, "allocated");
    for (const reply of [await others, await more]) assert.equal("code" in reply && reply.code, "keyUsed");
  });

  it("sends nobody to a silent node, also not by an answer of before", async () => {
    const setting = new Setting();
    const { until: _until, ...claim } = claimOf(requestOf("key", "eu"));
    const message = { ...claim, ttlMs: 60_000, rememberMs: 90_000, settled: true, answerInMs: 0 };
    setting.claims.receive(message, { from: "b", ageMs: 0, hold: () => true, now: setting.now });
    assert.equal((await setting.allocate("key", "eu")).status, "allocated");
    setting.silent.add("eu-1");
    const reply = await setting.allocate("key", "eu");
    assert.equal("code" in reply && reply.code, "expired");
  });

  it("asks the others whether who waited there was placed, and only then", async () => {
    const [a, b] = [new Setting(), new Setting()];
    const waiting = await a.allocate("key", "eu");
    assert.equal(waiting.status, "waiting");
    const ticket = waiting.status === "waiting" ? waiting.ticket : "";
    for (const setting of [a, b, b]) await setting.allocate("key", "eu", { ticket });
    assert.deepEqual([a.asked, b.asked], [[], ["key"]]);
  });

  it("takes players of another balancer after its own, and at its own rate", async () => {
    const setting = new Setting(2);
    const takes = async (key: string): Promise<string> =>
      (await setting.admission.answerFor({ request: requestOf(key, "eu"), ip: IP })).status;
    setting.seats.eu = 100;
    assert.deepEqual([await takes("a"), await takes("b"), await takes("c")], ["allocated", "allocated", "refused"]);
    setting.now += 5000;
    setting.seats.eu = 0;
    assert.equal((await setting.allocate("waits here", "eu")).status, "waiting");
    setting.seats.eu = 1;
    assert.equal(await takes("d"), "refused");
    await setting.pumpFor(200);
    assert.deepEqual(setting.placed, ["a", "b", "waits here"]);
  });
});

test("whom nothing can be done for does not hold up the others in the queue, however many such there are", async () => {
  let now = 1000;
  const served: string[] = [];
  const queue = new WaitingQueue<AddressedRequest>(DEFAULT_CONFIG.queue, new Random(1), now);
  const full = { refused: "full" } as const;
  const options = {
    queue,
    allocator: {
      place: (request: AddressedRequest["request"]) => {
        if (request.filter?.version !== "served") return Promise.resolve(full);
        served.push(request.key);
        return Promise.resolve({ claim: { nodeId: "n", answer: { region: "r" } } });
      },
    },
    claims: { find: () => undefined, pending: () => undefined },
    tickets: new QueueTickets({ mac: (text) => text.slice(0, 16) }),
    peers: { forward: () => Promise.resolve(undefined) },
    routes: { of: () => ({ clients: [] }) },
    lastRegions: { note: () => undefined },
    recorded: { record: () => undefined },
    config: () => DEFAULT_CONFIG.queue,
    now: () => now,
    unixMs: () => now,
  };
  const admission = new Admission(options as unknown as AdmissionOptions);
  // The oldest wait for versions that have no seats, with a line each; the last one could play.
  for (let i = 0; i < 20; i++) {
    const version = i < 19 ? `full-${i}` : "served";
    const request = { key: `key-${i}`, clients: [{ clientId: "1" }], filter: { version } };
    queue.ask({ key: request.key, filterKey: version, seats: 1, request: { request, ip: "" } }, now, false, now);
    now++;
  }
  admission.pump();
  await settled();
  assert.deepEqual(served, ["key-19"]);
});
