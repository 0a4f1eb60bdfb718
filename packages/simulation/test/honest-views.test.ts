/** Honest clients on bad links: the check of view stamps leaves them alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GameClientOptions } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";
import { meterLinks } from "./link-meter.ts";
import { looks, watchingGame } from "./watching-game.ts";

const links: readonly LinkConditions[] = [20, 100, 300].flatMap((latencyMs) => [
  { latencyMs },
  { latencyMs, jitterMs: 20, lossRate: 0.03 },
  { latencyMs, jitterMs: 50 },
  { latencyMs, jitterMs: 20, lossRate: 0.01, meanBurstPackets: 3 },
  { latencyMs, lossRate: 0.1, meanBurstPackets: 3 },
  { latencyMs, jitterMs: 50, lossRate: 0.1, meanBurstPackets: 3 },
]);

type Network = TestNetwork<ReturnType<typeof watchingGame>>;
type MeterOf = ReturnType<typeof meterLinks<Network["game"]>>;

/** Runs clients on all links, and holds them to one implausible view in a thousand. */
function check(
  snapshotRate: number,
  fps: number,
  play: (network: Network, meterOf: MeterOf) => void,
  options: GameClientOptions = {},
): void {
  // Beyond the usual limit: what is cut is cut by the check, and not by that.
  const network = new TestNetwork(watchingGame(snapshotRate), { maxRewindMs: 1500 });
  const meterOf = meterLinks(network);
  for (const link of links) network.add(link, { go: true }, options).frameMs = 1000 / fps;
  looks.length = 0;
  play(network, meterOf);
  for (const { seat, conditions } of network.players) {
    const looked = looks.filter(({ owner }) => owner === seat).length;
    const cut = network.match.seat(seat)?.stats.implausibleViews ?? Infinity;
    assert.ok(looked > 1000, `${looked} looks`);
    assert.ok(cut <= looked / 1000, `${cut} of ${looked}: ${JSON.stringify(conditions)}`);
  }
}

describe("an honest client", () => {
  for (const [snapshotRate, fps] of [
    [30, 60],
    [30, 30],
    [15, 60],
    [15, 30],
  ])
    it(`of ${fps} frames and ${snapshotRate} snapshots a second is believed on every link`, () =>
      check(snapshotRate, fps, (network) => network.run(60_000)));

  for (const options of [
    { interpolationMode: "extrapolation" },
    { interpolationMode: "hermite" },
    { extrapolateAboveMs: 80 },
    { interpolationMode: "ahead" },
    { extrapolateAboveMs: 80, extrapolateByMs: 200 },
  ] as const)
    it(`is believed that draws with ${JSON.stringify(options)}`, () =>
      check(30, 60, (network) => network.run(20_000), options));

  it("is believed on a server that stalls", () => {
    const cut = cutByStalls(true);
    assert.ok(cut <= 0.001, `${cut}`);
    assert.ok(cutByStalls(false) > 0.1, "when it does not know: the test can fail");
  });

  it("is believed when its hidden page comes back", () =>
    check(30, 60, (network) => {
      for (const hiddenMs of [3000, 20_000]) {
        network.run(8000);
        for (const player of network.players) player.paused = true;
        network.run(hiddenMs);
        for (const player of network.players) player.paused = false;
      }
      network.run(8000);
    }));

  it("is believed when its machine has slept", () =>
    check(30, 60, (network, meterOf) => {
      network.run(10_000);
      const wakesAt = network.now + 3000;
      for (const player of network.players) {
        player.paused = true;
        meterOf(player).tampering = { delayMs: (now) => Math.max(0, wakesAt - now) };
      }
      network.run(3000);
      for (const player of network.players) player.paused = false;
      network.run(10_000);
    }));

  it("that stood still for less than a second has some inputs cut, which it gave at an old picture", () => {
    const network = new TestNetwork(watchingGame(30));
    meterLinks(network);
    const player = network.add({ latencyMs: 60, jitterMs: 10 }, { go: true });
    network.run(8000);
    player.paused = true;
    network.run(400);
    player.paused = false;
    network.run(8000);
    const cut = network.match.seat(player.seat)?.stats.implausibleViews ?? Number.NaN;
    assert.ok(cut >= 1 && cut <= 12, `${cut}`);
  });

  it("is believed when its route gets longer, or shorter", () => {
    const network = new TestNetwork(watchingGame(30));
    meterLinks(network);
    const player = network.add({ latencyMs: 30 }, { go: true });
    for (const latencyMs of [30, 200, 30, 100]) {
      player.conditions = { latencyMs, jitterMs: 5 };
      network.run(8000);
    }
    assert.equal(network.match.seat(player.seat)?.stats.implausibleViews, 0);
  });

  it("is believed when its route changes while it draws ahead, or only then", () => {
    const network = new TestNetwork(watchingGame(30));
    meterLinks(network);
    const ahead = network.add({ latencyMs: 30 }, { go: true }, { interpolationMode: "ahead" });
    const onLongLines = network.add({ latencyMs: 30 }, { go: true }, { extrapolateAboveMs: 150, extrapolateByMs: 200 });
    for (const latencyMs of [30, 200, 30, 100, 20]) {
      for (const player of network.players) {
        player.conditions = { latencyMs, jitterMs: 5 };
        player.client.updateLink(latencyMs, 0);
      }
      network.run(8000);
    }
    for (const { seat } of [ahead, onLongLines]) assert.equal(network.match.seat(seat)?.stats.implausibleViews, 0);
    assert.equal(onLongLines.client.stats.jumps, 0);
  });
});

/** The part of an honest client's looks that are cut on a server which stalls, and knows that or does not. */
function cutByStalls(tellsLateness: boolean): number {
  const network = new TestNetwork(watchingGame(30));
  meterLinks(network);
  network.tellsLateness = tellsLateness;
  const { seat } = network.add({ latencyMs: 40, jitterMs: 2 }, { go: true });
  looks.length = 0;
  for (let i = 0; i < 60; i++) {
    network.run(420);
    network.serverStalled = true;
    network.run(120);
    network.serverStalled = false;
  }
  return (network.match.seat(seat)?.stats.implausibleViews ?? Number.NaN) / looks.length;
}
