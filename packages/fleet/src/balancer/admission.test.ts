import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as settled } from "node:timers/promises";
import { Random } from "@riposte/protocol";
import { DEFAULT_CONFIG } from "../config/config-defaults.ts";
import { QueueTickets } from "../queue/queue-ticket.ts";
import { WaitingQueue } from "../queue/waiting-queue.ts";
import { Admission } from "./admission.ts";
import type { AddressedRequest, AdmissionOptions } from "./admission.ts";

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
