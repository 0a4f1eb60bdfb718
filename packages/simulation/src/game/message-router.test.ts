import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { bool, list, text, uint } from "../state/index.ts";
import { defineCall, defineMessage } from "./message.ts";
import { MessagePeer, MessageRouter } from "./message-router.ts";
import type { IncomingCall } from "./message-router.ts";
import { outgoingMessage, OutgoingQueue } from "./outgoing-queue.ts";

const Say = defineMessage("say", { text: text({ maxBytes: 40 }), loud: bool() });
const Ask = defineCall("ask", { question: uint({ max: 255 }) }, { answer: uint({ max: 255 }) });
const Other = defineMessage("other", {});

/** A value of a list of texts, each of 1 KiB. */
function of(count: number): { texts: string[] } {
  return { texts: Array.from({ length: count }, () => "x".repeat(1024)) };
}

function deliver(from: MessagePeer, router: MessageRouter, to: MessagePeer, seat: number): number {
  const out = outgoingMessage();
  let count = 0;
  while (from.queue.poll(out)) {
    const bytes = out.buffer.slice(out.offset, out.offset + out.length);
    assert.equal(router.receive(to, seat, bytes, 0, bytes.length), true);
    count++;
  }
  return count;
}

describe("MessageRouter", () => {
  it("delivers values to listeners until they leave", () => {
    const router = new MessageRouter([Say, Ask]);
    const peer = new MessagePeer();
    const got: unknown[] = [];
    const stop = router.onMessage(Say, (value, from) => got.push([value, from]));
    assert.equal(router.send(peer, Say, { text: "grüße", loud: true }), true);
    deliver(peer, router, new MessagePeer(), 7);
    assert.deepEqual(got, [[{ text: "grüße", loud: true }, 7]]);
    stop();
    router.send(peer, Say, { text: "", loud: false });
    deliver(peer, router, new MessagePeer(), 7);
    assert.equal(got.length, 1);
    assert.throws(() => router.send(peer, Other, {}), TypeError);
  });

  it("writes once what goes to many, and says whether there was room for all", () => {
    const router = new MessageRouter([Say]);
    let reads = 0;
    const value = {
      loud: true,
      get text(): string {
        reads++;
        return "hello";
      },
    };
    router.send(new MessagePeer(), Say, value);
    const readsForOne = reads;
    const peers = Array.from({ length: 3 }, () => new MessagePeer());
    assert.equal(router.sendAll(peers, Say, value), true);
    assert.equal(reads, 2 * readsForOne);
    const full = new MessagePeer(new OutgoingQueue(4));
    assert.equal(router.sendAll([full, ...peers], Say, value), false);
    const got: unknown[] = [];
    router.onMessage(Say, (heard) => got.push(heard));
    for (const peer of peers) assert.equal(deliver(peer, router, new MessagePeer(), 0), 2);
    const heard = Array.from({ length: 6 }, () => ({ text: "hello", loud: true }));
    assert.deepEqual(got, heard);
    assert.throws(() => router.sendAll(peers, Other, {}), TypeError);
    assert.equal(router.sendAll([], Other, {}), true);
  });

  it("tells every listener, also when one of them leaves or comes while it is told", () => {
    const router = new MessageRouter([Say]);
    const peer = new MessagePeer();
    const got: string[] = [];
    const say = (): void => {
      router.send(peer, Say, { text: "", loud: false });
      deliver(peer, router, new MessagePeer(), 0);
    };
    const stopFirst = router.onMessage(Say, () => {
      got.push("first");
      stopFirst();
      router.onMessage(Say, () => void got.push("late"));
    });
    const twice = (): void => void got.push("twice");
    const stopTwice = router.onMessage(Say, twice);
    router.onMessage(Say, twice);
    say();
    assert.deepEqual(got, ["first", "twice", "twice"]);
    stopTwice();
    stopTwice();
    say();
    assert.deepEqual(got.slice(3), ["twice", "late"]);
  });

  it("sends a call and its answer by the call's channel, and says when the next one is overdue", () => {
    const Quick = defineCall("quick", {}, { done: bool() }, { channel: "unreliableUnordered" });
    const router = new MessageRouter([Quick, Ask], { callTimeoutMs: 100 });
    const client = new MessagePeer();
    const server = new MessagePeer();
    const channels: string[] = [];
    const poll = (peer: MessagePeer): Uint8Array => {
      const out = outgoingMessage();
      assert.ok(peer.queue.poll(out));
      channels.push(out.channel);
      return out.buffer.slice(out.offset, out.offset + out.length);
    };
    router.onCall(Quick, (_request, call) => void call.reply({ done: true }));
    const outcomes: unknown[] = [];
    assert.equal(router.nextTimeout(client), Infinity);
    router.call(client, Quick, {}, 20, (outcome) => outcomes.push(outcome));
    const asked = poll(client);
    assert.ok(router.receive(server, 0, asked, 0, asked.length));
    const answer = poll(server);
    assert.ok(router.receive(client, -1, answer, 0, answer.length));
    assert.deepEqual([...outcomes], [{ ok: true, value: { done: true } }]);
    assert.equal(router.nextTimeout(client), Infinity);
    // The next one is lost.
    router.call(client, Quick, {}, 50, (outcome) => outcomes.push(outcome));
    router.call(client, Ask, { question: 1 }, 60, () => {});
    poll(client);
    poll(client);
    assert.equal(router.nextTimeout(client), 150);
    router.handleTimeout(client, 150);
    assert.deepEqual(outcomes[1], { ok: false, reason: "timedOut" });
    assert.equal(router.nextTimeout(client), 160);
    assert.deepEqual(channels, [
      "unreliableUnordered",
      "unreliableUnordered",
      "unreliableUnordered",
      "reliableOrdered",
    ]);
  });

  it("lets a call be answered again when the answer could not be sent", () => {
    const router = new MessageRouter([Ask]);
    const client = new MessagePeer();
    const server = new MessagePeer(new OutgoingQueue(64, 1));
    const outcomes: unknown[] = [];
    let call: IncomingCall<typeof Ask.reply> | undefined;
    router.onCall(Ask, (_request, incoming) => void (call = incoming));
    router.call(client, Ask, { question: 1 }, 0, (outcome) => outcomes.push(outcome));
    deliver(client, router, server, 0);
    server.queue.push("reliableOrdered", new Uint8Array(1), 0, 1);
    assert.equal(call?.reply({ answer: 7 }), false, "the queue is full");
    server.queue.clear();
    assert.equal(call?.reply({ answer: 7 }), true);
    assert.equal(call?.refuse(), false);
    deliver(server, router, client, -1);
    assert.deepEqual(outcomes, [{ ok: true, value: { answer: 7 } }]);
  });

  it("bounds pending calls, and answers each exactly once", () => {
    const router = new MessageRouter([Say, Ask], { maxPendingCalls: 3, callTimeoutMs: 100 });
    const client = new MessagePeer();
    const server = new MessagePeer();
    const outcomes: string[] = [];
    const replies: (() => void)[] = [];
    router.onCall(Ask, (request, call) => {
      replies.push(() => {
        call.reply({ answer: request.question * 2 });
        assert.equal(call.reply({ answer: 0 }), false, "only once");
        assert.equal(call.refuse(), false);
      });
    });
    for (let i = 1; i <= 4; i++) {
      router.call(client, Ask, { question: i }, i * 10, (outcome) => {
        outcomes.push(outcome.ok ? `${i}=${outcome.value.answer}` : `${i} ${outcome.reason}`);
      });
    }
    assert.deepEqual(outcomes, ["4 full"]);
    assert.equal(deliver(client, router, server, 0), 3);
    replies[1]();
    deliver(server, router, client, -1);
    assert.deepEqual(outcomes, ["4 full", "2=4"]);
    router.handleTimeout(client, 115);
    assert.deepEqual(outcomes.slice(2), ["1 timedOut"]);
    // An answer that comes too late is nobody's.
    replies[0]();
    deliver(server, router, client, -1);
    assert.equal(outcomes.length, 3);
    client.close();
    assert.deepEqual(outcomes.slice(3), ["3 closed"]);
  });

  it("says what is wrong with a message, a question or an answer that is too large, and goes on", () => {
    const texts = { texts: list(text({ maxBytes: 1024 }), { max: 20 }) };
    const Book = defineMessage("book", texts, { channel: "unreliableUnordered" });
    const Read = defineCall("read", texts, texts);
    const router = new MessageRouter([Book, Read]);
    const client = new MessagePeer();
    const server = new MessagePeer();
    const tooLarge = {
      name: "RangeError",
      message: /^"(?:book|read)" takes more than 16384 bytes: .*several messages/,
    };
    // Sixteen texts and their lengths are a few bytes too many.
    assert.equal(router.send(client, Book, of(15)), true);
    assert.throws(() => router.send(client, Book, of(16)), tooLarge);
    assert.equal(client.queue.count, 1);
    assert.equal(client.queue.refused, 0, "the queue was not full");

    const outcomes: unknown[] = [];
    const done = (outcome: unknown): void => void outcomes.push(outcome);
    assert.throws(() => router.call(client, Read, of(16), 0, done), tooLarge);
    assert.deepEqual([outcomes.length, client.pending.size, router.nextTimeout(client)], [0, 0, Infinity]);

    router.onCall(Read, (_request, call) => {
      assert.throws(() => call.reply(of(16)), tooLarge);
      assert.equal(call.reply(of(1)), true, "it may still be answered");
    });
    router.call(client, Read, of(1), 0, done);
    assert.equal(deliver(client, router, server, 0), 2);
    deliver(server, router, client, -1);
    assert.deepEqual(outcomes, [{ ok: true, value: of(1) }]);
  });

  it("drops garbage", () => {
    const router = new MessageRouter([Say, Ask]);
    const peer = new MessagePeer();
    router.onCall(Ask, (_request, call) => call.refuse());
    let refused = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 60 }), (kind, rest) => {
        const bytes = Uint8Array.from([kind, ...rest]);
        if (!router.receive(peer, 0, bytes, 0, bytes.length)) refused++;
      }),
      { seed: 5, numRuns: 2000 },
    );
    assert.ok(refused > 500);
    assert.ok(peer.queue.count <= 256);
  });
});

describe("OutgoingQueue", () => {
  it("gives back what went in, in order, whatever the sizes, and refuses what is too much", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(900), fc.boolean()), { maxLength: 120 }), (steps) => {
        const queue = new OutgoingQueue(4096, 16);
        const expected: number[][] = [];
        const out = outgoingMessage();
        let value = 0;
        for (const [length, take] of steps) {
          if (take) {
            const next = expected.shift();
            assert.equal(queue.poll(out), next !== undefined);
            if (next !== undefined) {
              assert.deepEqual([...out.buffer.subarray(out.offset, out.offset + out.length)], next);
              assert.equal(out.channel, next.length % 2 === 0 ? "reliableOrdered" : "unreliableUnordered");
            }
            continue;
          }
          const bytes = new Uint8Array(length).fill(value++ & 0xff);
          const channel = length % 2 === 0 ? "reliableOrdered" : "unreliableUnordered";
          const total = expected.reduce((sum, each) => sum + each.length, 0);
          if (queue.push(channel, bytes, 0, length)) expected.push([...bytes]);
          else assert.ok(expected.length === 16 || total + length > 4096 / 3, `refused ${length} beside ${total}`);
        }
        assert.equal(queue.count, expected.length);
      }),
      { seed: 6, numRuns: 500 },
    );
  });
});
