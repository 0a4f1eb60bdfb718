/** Balancers and nodes as real HTTP servers in one process: registration, seats, retries, queue, draining, a balancer that is gone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConnectToken } from "@riposte/protocol/netcode";
import type { AllocateReply } from "../src/http/balancer-api.ts";
import { allocate, asAllocated, request, SmallFleet, until } from "./small-fleet.ts";

describe("a fleet", () => {
  it("seats players, answers retries the same anywhere, and puts those who come last in a queue", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    const node = await fleet.node("eu-1", 6, [a.url]);
    await until(() => (node.balancers.length === 2 ? true : undefined));
    await until(() => (a.balancer.stats().freeSeats > 0 && b.balancer.stats().freeSeats > 0 ? true : undefined));

    const first = request(1);
    const at = asAllocated(await allocate(a.url, first));
    assert.equal(at.node.id, "eu-1");
    const token = readConnectToken(Buffer.from(at.seats[0].token, "base64"));
    assert.equal(token?.serverAddresses.length, 1);
    // A lost answer: asked again here, and at the other one.
    for (const url of [a.url, b.url]) {
      const again = asAllocated(await allocate(url, first));
      assert.deepEqual(again.seats, at.seats, "the same token, to the last byte");
    }
    await until(() => (node.seats.reserved > 0 ? true : undefined));
    assert.ok(node.arrive("1"));
    assert.deepEqual([node.seats.seated, node.seats.reserved], [1, 0]);

    // All others, from both, at once: five seats are left.
    const rest = Array.from({ length: 8 }, (_, i) => request(10 + i));
    const replies = await Promise.all(rest.map((body, i) => allocate(i % 2 === 0 ? a.url : b.url, body)));
    const seated = new Set(replies.flatMap((reply) => (reply.status === "allocated" ? reply.seats[0].clientId : [])));
    const waiting = replies.filter(({ status }) => status === "waiting");
    assert.equal(seated.size + waiting.length, 8, JSON.stringify(replies));
    // Whoever waits gets what was lent elsewhere, too; and then the seats of those who leave.
    await until(() => (node.seats.free === 0 && node.seats.lent === 0 ? true : undefined)).catch(() => undefined);
    for (const clientId of [...seated, "1"]) {
      node.arrive(clientId);
      node.leave(clientId);
    }
    for (const [i, reply] of replies.entries()) {
      if (reply.status !== "waiting") continue;
      let { ticket } = reply;
      const done = await until(async () => {
        const next = await allocate(i % 2 === 0 ? a.url : b.url, { ...rest[i], ticket });
        if (next.status === "waiting") ({ ticket } = next);
        return next.status === "allocated" ? next : undefined;
      });
      seated.add(done.seats[0].clientId);
    }
    assert.equal(seated.size, 8);
    assert.ok(node.seats.seated + node.seats.reserved <= 6);
  });

  it("seats a group that takes all of a node, and two of them one after the other", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    const node = await fleet.node("eu-1", 64, [a.url]);
    await until(() => (a.balancer.stats().freeSeats > 0 && b.balancer.stats().freeSeats > 0 ? true : undefined));
    const groups = [a, b].map(({ url }, i) => {
      const clients = Array.from({ length: 64 }, (_, k) => ({ clientId: String(100 * i + k) }));
      return { url, body: request(0, { clients }), ticket: {} };
    });
    const ask = async ({ url, body, ticket }: (typeof groups)[number]): Promise<AllocateReply> => {
      const reply = await allocate(url, { ...body, ...ticket });
      if (reply.status === "waiting") ticket = Object.assign(ticket, { ticket: reply.ticket });
      return reply;
    };
    const seated = new Set<string>();
    for (const turn of [0, 1]) {
      await until(async () => {
        for (const group of groups) if ((await ask(group)).status === "allocated") seated.add(group.url);
        return seated.size > turn ? true : undefined;
      });
      assert.equal(seated.size, turn + 1, "there is room for one");
      await until(() => (node.seats.reserved === 64 ? true : undefined));
      const i = [...seated].at(-1) === a.url ? 0 : 1;
      for (const { clientId } of groups[i].body.clients) {
        assert.ok(node.arrive(clientId));
        node.leave(clientId);
      }
    }
  });

  it("counts each seat of a party against its network's rate", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("lone", [], { limits: { requestsPerSec: 1, requestBurst: 40 } });
    const clients = Array.from({ length: 32 }, (_, k) => ({ clientId: String(k) }));
    const codes: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const reply = await allocate(a.url, request(0, { clients }));
      codes.push("code" in reply ? reply.code : reply.status);
    }
    assert.deepEqual(codes, ["noNodes", "noNodes", "tooManyRequests"]);
  });

  it("says why there is no seat, and sends nobody to who drains", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("lone");
    const none = await allocate(a.url, request(1));
    assert.deepEqual([none.status, "code" in none && none.code], ["refused", "noNodes"]);
    const node = await fleet.node("us-1", 10, [a.url], "us");
    await until(() => (a.balancer.stats().freeSeats > 0 && a.balancer.nodes()[0].state === "ready" ? true : undefined));
    const wrong = await allocate(a.url, request(1, { filter: { version: "2" } }));
    assert.equal("code" in wrong && wrong.code, "noMatch");
    // Alone, it answers once the node knows that.
    asAllocated(
      await until(async () => {
        const reply = await allocate(a.url, request(2));
        return reply.status === "allocated" ? reply : undefined;
      }),
    );
    a.balancer.commandNode("us-1", "drain");
    const later = await allocate(a.url, request(3));
    assert.notEqual(later.status, "allocated");
    await until(() => (node.desired === "draining" ? true : undefined));
    assert.ok(node.seats.reserved > 0, "who was on the way still comes");
    assert.ok(node.arrive("2"));
  });

  it("goes on when a balancer is gone: with its answers, and with a node that registered there", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("p");
    const b = await fleet.balancer("q", [a.url]);
    const node = await fleet.node("as-1", 50, [a.url], "as");
    await until(() =>
      b.balancer.stats().freeSeats > 0 && b.balancer.stats().balancers.length === 2 ? true : undefined,
    );
    const asked = Array.from({ length: 5 }, (_, i) => request(100 + i));
    const answers = await Promise.all(asked.map(async (body) => asAllocated(await allocate(a.url, body))));
    await a[Symbol.asyncDispose]();
    for (const [i, body] of asked.entries())
      assert.deepEqual(asAllocated(await allocate(b.url, body)).seats, answers[i].seats);
    asAllocated(
      await until(async () => {
        const reply = await allocate(b.url, request(200));
        return reply.status === "allocated" ? reply : undefined;
      }),
    );
    await until(() => (node.seats.reserved >= 6 ? true : undefined));
  });
});
