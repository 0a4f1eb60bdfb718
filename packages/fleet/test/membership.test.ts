/** Who belongs to a fleet: nodes that stop, are unregistered or lost; balancers that lead, stop, and ask each other for answers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allocate, asAllocated, request, SmallFleet, until } from "./small-fleet.ts";

const isTrue = (what: boolean): true | undefined => (what ? true : undefined);

describe("membership", () => {
  it("has one leader, and another one as soon as it stops", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    await until(() => isTrue(a.balancer.leads !== b.balancer.leads));
    const [first, second] = a.balancer.leads ? [a, b] : [b, a];
    assert.match(await first.metrics.exposition(), /riposte_fleet_leader 1/);
    assert.match(await second.metrics.exposition(), /riposte_fleet_leader 0/);
    await first[Symbol.asyncDispose]();
    await until(() => isTrue(second.balancer.leads));
  });

  it("says that two balancers have the same name", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("a", [a.url]);
    await until(() => isTrue(fleet.log.some((line) => line.includes(`${b.url} is called "a" as well`))));
    assert.ok(fleet.log.filter((line) => line.includes("as well")).length <= 2);
  });

  it("forgets a node that stops, at every balancer, and takes it again", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    const node = await fleet.node("eu-1", 6, [a.url]);
    await until(() => isTrue(node.balancers.length === 2 && b.balancer.nodes()[0]?.state === "ready"));
    await node[Symbol.asyncDispose]();
    assert.deepEqual([a.balancer.nodes(), b.balancer.nodes()], [[], []]);
    await fleet.node("eu-1", 6, [b.url]);
    await until(() => isTrue(a.balancer.nodes()[0]?.state === "ready" && b.balancer.nodes()[0]?.state === "ready"));
  });

  it("keeps a node away that an operator unregistered, without touching its players", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    const node = await fleet.node("eu-1", 6, [a.url]);
    await until(() => isTrue(a.balancer.stats().freeSeats > 0 && b.balancer.stats().freeSeats > 0));
    asAllocated(await allocate(a.url, request(1)));
    await until(() => isTrue(node.seats.reserved > 0));
    assert.ok(node.arrive("1"));
    a.balancer.commandNode("eu-1", "unregister");
    await until(() => isTrue(node.desired === "gone"));
    assert.deepEqual([a.balancer.nodes(), b.balancer.nodes(), node.seats.seated], [[], [], 1]);
    await assert.rejects(fleet.node("eu-1", 6, [b.url], "eu", { signal: AbortSignal.timeout(700) }), {
      name: "TimeoutError",
    });
    assert.ok(fleet.log.some((line) => line.includes("unregistered: it can come back in 60 s")));
  });

  it("is ready for nodes when all that were known are gone", async () => {
    await using fleet = await SmallFleet.open();
    const addresses = { udp: ["10.0.0.1:7777"] };
    const rest = { capacity: { sessions: 1, players: 6 }, version: "1", labels: {}, gameModes: [], weight: 1 };
    const registration = { id: "old", region: "eu", addresses, ...rest };
    await fleet.store.put("nodes/old", JSON.stringify({ registration, desired: "ready" }));
    const a = await fleet.balancer("a");
    await until(() => isTrue(a.balancer.nodes().length === 1));
    await until(() => isTrue(a.balancer.isReady));
    const node = await fleet.node("eu-1", 20, [a.url]);
    const b = await fleet.balancer("b", [a.url]);
    await until(() => isTrue(b.balancer.isReady && b.balancer.stats().freeSeats > 0));
    await node[Symbol.asyncDispose]();
    await until(() => isTrue(a.balancer.isReady && b.balancer.isReady));
  });

  it("has its leader forget nodes that were lost for long", async () => {
    await using fleet = await SmallFleet.open();
    const config = { health: { suspectAfterMs: 300, loseAfterMs: 600, forgetAfterMs: 1500 } };
    const a = await fleet.balancer("a", [], config);
    const b = await fleet.balancer("b", [a.url], config);
    // It registers, and is never heard again.
    const addresses = { udp: ["10.0.0.1:7777"] };
    const rest = { capacity: { sessions: 1, players: 6 }, version: "1", labels: {}, gameModes: [], weight: 1 };
    a.balancer.registerNode({ id: "eu-1", region: "eu", addresses, ...rest });
    await until(() => isTrue([a, b].every(({ balancer }) => balancer.nodes()[0]?.state === "lost")));
    await until(() => isTrue([a, b].every(({ balancer }) => balancer.nodes().length === 0)));
    assert.equal(fleet.log.filter((line) => line.includes("is forgotten")).length, 1);
    const entry = await fleet.store.get("nodes/eu-1");
    assert.match(entry?.value ?? "", /"forgotten"/);
  });

  it("keeps a node that was registered by hand and put into maintenance, until it comes and is resumed", async () => {
    await using fleet = await SmallFleet.open();
    const config = { health: { suspectAfterMs: 300, loseAfterMs: 600, forgetAfterMs: 1000 } };
    const a = await fleet.balancer("a", [], config);
    const rest = { capacity: { sessions: 1, players: 6 }, version: "1", labels: {}, gameModes: [], weight: 1 };
    for (const id of ["eu-1", "eu-2"])
      a.balancer.registerNode({ id, region: "eu", addresses: { udp: ["10.0.0.1:7777"] }, ...rest });
    a.balancer.commandNode("eu-1", "maintain");
    const nodes = (): string[] => a.balancer.nodes().map(({ id, state }) => `${id} ${state}`);
    // As long as it takes to forget the one that is not.
    await until(() => isTrue(nodes().length === 1));
    assert.deepEqual(nodes(), ["eu-1 lost"]);
    await fleet.node("eu-1", 6, [a.url]);
    await until(() => isTrue(nodes()[0] === "eu-1 maintenance"));
    const reply = await allocate(a.url, request(1));
    assert.notEqual(reply.status, "allocated");
    a.balancer.commandNode("eu-1", "resume");
    await until(() => isTrue(nodes()[0] === "eu-1 ready"));
  });

  it("gives nodes back what they lent when a balancer stops", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    const node = await fleet.node("eu-1", 100, [a.url]);
    await until(() => isTrue(a.balancer.stats().freeSeats > 0 && b.balancer.stats().freeSeats > 0));
    await until(() => isTrue(node.seats.lent === a.balancer.stats().freeSeats + b.balancer.stats().freeSeats));
    const lentToB = b.balancer.stats().freeSeats;
    await b[Symbol.asyncDispose]();
    assert.ok(
      node.seats.lent <= 100 - lentToB && node.seats.free >= lentToB,
      JSON.stringify({ ...node.seats, lentToB }),
    );
  });

  it("asks every balancer about a key that is sent again", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    const c = await fleet.balancer("c", [a.url, b.url]);
    await fleet.node("eu-1", 100, [a.url]);
    await until(() => isTrue([a, b, c].every(({ balancer }) => balancer.stats().freeSeats > 0)));
    await until(() => isTrue([a, b, c].every(({ balancer }) => balancer.stats().balancers.length === 3)));
    // Each has told the others that it has seats: who has none left asks them.
    await new Promise((resolve) => setTimeout(resolve, 500));
    let askedOthers = 0;
    for (let i = 0; i < 12; i++) {
      const body = request(i + 1);
      const answer = asAllocated(await allocate(a.url, body));
      for (const { url, balancer } of [b, c]) {
        const before = balancer.stats().remembered;
        const again = asAllocated(await allocate(url, { ...body, attempt: 2 }));
        assert.deepEqual(again.seats, answer.seats);
        // Whoever did not know it took no seats and made no claim for it.
        if (balancer.stats().remembered === before) askedOthers++;
      }
    }
    // One of the two has the copy; the other asks, and has its answer in time unless the machine is busy.
    assert.ok(askedOthers > 16, `${askedOthers} of 24`);
    // Each key once, wherever there was a seat.
    const placements = (): number => [a, b, c].reduce((sum, { balancer }) => sum + balancer.stats().placements, 0);
    await until(() => isTrue(placements() >= 12));
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(placements(), 12);
  });

  it("remembers where a client played, for another balancer that expects it", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    await fleet.node("us-1", 10, [a.url], "us");
    await until(() => isTrue(a.balancer.stats().freeSeats > 0));
    await until(async () => ((await allocate(a.url, request(77))).status === "allocated" ? true : undefined));
    await until(async () => (await fleet.store.list("clients/"))[0]);
    for (const i of [1, 2, 3]) await fleet.node(`eu-${i}`, 10, [a.url], "eu");
    const b = await fleet.balancer("b", [a.url]);
    await until(() => isTrue(b.balancer.stats().nodes === 4 && b.balancer.stats().freeSeats > 8));
    const regionOf = (): string => {
      const { outcome } = b.balancer.explain({ clients: [{ clientId: "77" }], strategy: "sticky" }, "127.0.0.1");
      return "node" in outcome ? outcome.node.region : outcome.refused;
    };
    assert.equal(regionOf(), "eu");
    await (await fetch(`${b.url}/v1/beacons?client=77`)).json();
    await until(() => isTrue(regionOf() === "us"));
  });

  it("gives one client so many seats and no more, whatever keys it brings", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a", [], { seats: { perClient: 3 } });
    const b = await fleet.balancer("b", [a.url]);
    await fleet.node("eu-1", 40, [a.url]);
    await until(() => isTrue(a.balancer.stats().freeSeats > 4 && b.balancer.stats().freeSeats > 4));
    for (let i = 0; i < 3; i++) asAllocated(await allocate(a.url, request(7)));
    const refused = await allocate(a.url, request(7));
    assert.equal("code" in refused && refused.code, "tooManySeats");
    asAllocated(await allocate(a.url, request(8)));
  });

  it("counts what it does", async () => {
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a");
    const b = await fleet.balancer("b", [a.url]);
    await fleet.node("eu-1", 40, [a.url]);
    await until(() => isTrue(a.balancer.stats().freeSeats > 0 && b.balancer.stats().freeSeats > 0));
    const body = request(1, { clients: [{ clientId: "1", latencies: { eu: 23 } }] });
    asAllocated(await allocate(a.url, body));
    asAllocated(await allocate(a.url, body));
    const stats = a.metrics.stats();
    assert.deepEqual(stats.placements, { eu: { composite: { placed: 1, repeated: 1 } } });
    assert.ok(stats.route.count >= 1 && stats.route.p50Ms > 0 && stats.allocation.count >= 2);
    assert.deepEqual(stats.claims, { stored: 1, existing: 0, failed: 0, alone: 0 });
    const text = await a.metrics.exposition();
    assert.match(text, /player_latency_seconds_bucket\{le="0.04",region="eu"\} 1/);
    assert.match(text, /player_latency_seconds_bucket\{le="0.02",region="eu"\} 0/);
  });
});
