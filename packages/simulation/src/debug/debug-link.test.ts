import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { OutgoingQueue, outgoingMessage } from "../game/outgoing-queue.ts";
import { DebugLink } from "./index.ts";
import type { DebugAnswer, DebugLinkOptions, DebugOutcome } from "./index.ts";

interface End {
  readonly link: DebugLink;
  readonly queue: OutgoingQueue;
}

function end(answers: Record<string, DebugAnswer> = {}, options: Partial<DebugLinkOptions> = {}): End {
  const queue = new OutgoingQueue();
  const link = new DebugLink({ queue, answers, ...options });
  link.enabled = true;
  return { link, queue };
}

/** Hands over what waits at `from`; false when the other side found it malformed. */
function deliver(from: End, to: End, now = 0): boolean {
  const out = outgoingMessage();
  let good = true;
  while (from.queue.poll(out)) good = to.link.receive(out.buffer, out.offset, out.length, now) && good;
  return good;
}

function ask(from: End, to: End, method: string, parameters: unknown, now = 0): DebugOutcome | undefined {
  let outcome: DebugOutcome | undefined;
  from.link.ask(method, parameters, now, (told) => (outcome = told));
  deliver(from, to, now);
  deliver(to, from, now);
  return outcome;
}

describe("DebugLink", () => {
  it("answers with plain data, whatever is in it", () => {
    const server = end({
      echo: (parameters) => ({
        parameters,
        list: Int32Array.of(1, -2),
        far: -Infinity,
        id: 2n ** 60n,
        none: undefined,
      }),
    });
    const outcome = ask(end(), server, "echo", { a: "ü", b: [1, null] });
    assert.deepEqual(outcome, {
      ok: true,
      value: { parameters: { a: "ü", b: [1, null] }, list: [1, -2], far: -Infinity, id: "1152921504606846976" },
    });
    assert.equal(server.link.stats.answered, 1);
    assert.deepEqual(ask(end(), end({ nothing: () => undefined }), "nothing", null), { ok: true, value: null });
  });

  it("refuses what it does not know, what throws, and answers that are too long", () => {
    const client = end();
    const server = end({
      fails: () => {
        throw new RangeError("no such seat");
      },
      circular: () => {
        const loop: Record<string, unknown> = {};
        loop.self = loop;
        return loop;
      },
      long: () => "x".repeat(20_000),
    });
    const reasons = ["unknown", "constructor", "fails", "circular", "long"].map((method) => {
      const outcome = ask(client, server, method, null);
      assert.ok(outcome?.ok === false && outcome.reason === "refused");
      return outcome.message;
    });
    assert.deepEqual(reasons.slice(0, 3), ['there is no "unknown"', 'there is no "constructor"', "no such seat"]);
    assert.match(reasons[3], /circular/);
    assert.match(reasons[4], /16384 bytes: ask for less/);
    assert.equal(server.link.stats.refused, 5);
    assert.throws(() => client.link.ask("long", "x".repeat(20_000), 0, () => undefined), /16384 bytes/);
  });

  it("says nothing, and takes nothing, where it is off", () => {
    const client = end();
    const server = end({ echo: () => 1 });
    server.link.enabled = false;
    client.link.ask("echo", null, 0, () => undefined);
    assert.equal(deliver(client, server), false);
    assert.equal(server.queue.count, 0);
    assert.deepEqual(ask(server, client, "echo", null), {
      ok: false,
      reason: "off",
      message: "the server has no debug channel",
    });
  });

  it("answers no more than its rate", () => {
    const client = end({}, { maxPending: 1000 });
    const server = end({ echo: () => 1 }, { answersPerSec: 5 });
    const answered = (count: number, now: number): number => {
      let good = 0;
      for (let i = 0; i < count; i++) if (ask(client, server, "echo", null, now)?.ok === true) good++;
      return good;
    };
    assert.equal(answered(50, 0), 10, "two seconds' worth at once");
    assert.equal(answered(50, 1000), 5);
    assert.equal(answered(50, 1000), 0);
  });

  it("gives up questions that nobody answers, and those that are too many", () => {
    const client = end({}, { maxPending: 2, timeoutMs: 100 });
    const outcomes: string[] = [];
    const note = (outcome: DebugOutcome): void => void outcomes.push(outcome.ok ? "ok" : outcome.reason);
    client.link.ask("a", null, 0, note);
    client.link.ask("b", null, 50, note);
    client.link.ask("c", null, 50, note);
    assert.deepEqual(outcomes, ["full"]);
    assert.equal(client.link.nextTimeout(), 100);
    client.link.handleTimeout(99);
    client.link.handleTimeout(100);
    assert.deepEqual(outcomes, ["full", "timedOut"]);
    const server = end({ a: () => 1 });
    assert.equal(deliver(client, server), true);
    assert.equal(deliver(server, client), true, "an answer that comes too late is no offence");
    assert.deepEqual(outcomes, ["full", "timedOut", "refused"]);
    client.link.ask("d", null, 120, note);
    client.link.close();
    assert.deepEqual(outcomes.slice(3), ["closed"]);
    assert.equal(client.link.nextTimeout(), Infinity);
  });

  it("takes whatever a refusal holds, and tells who asked", () => {
    for (const refusal of [{ toString: 1, valueOf: 1 }, [[1]], null, 7, "x".repeat(9000)]) {
      const { link } = end();
      const outcomes: DebugOutcome[] = [];
      link.ask("anything", null, 0, (outcome) => outcomes.push(outcome));
      const message = Uint8Array.of(8, 2, 1, ...new TextEncoder().encode(JSON.stringify(refusal)));
      assert.equal(link.receive(message, 0, message.length, 0), true);
      const [outcome] = outcomes;
      assert.ok(!outcome.ok && outcome.reason === "refused" && outcome.message.length <= 500);
    }
  });

  it("survives any bytes, and keeps working", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(2), (bytes, status) => {
        const { link } = end({ echo: (parameters) => parameters });
        for (const message of [bytes, Uint8Array.of(8, status, ...bytes)]) link.receive(message, 0, message.length, 0);
        assert.equal(ask(end(), { link, queue: new OutgoingQueue() }, "echo", 1), undefined);
      }),
      { seed: 811, numRuns: 500 },
    );
  });
});
