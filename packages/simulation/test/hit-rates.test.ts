/** Who is hit in the picture is hit on the server, and who is missed in it is not: a small part of `bench -- hits`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bool, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";
import { MOVERS, playRange } from "./shooting-range.ts";
import type { RangeConditions } from "./shooting-range.ts";

const SECONDS = 120;

describe("a shot at what is drawn", () => {
  const cases: Readonly<Record<string, RangeConditions>> = {
    "over a short, even line": { latencyMs: 20, snapshotRate: 30 },
    "over a usual line": { latencyMs: 80, jitterMs: 20, lossRate: 0.05, snapshotRate: 30 },
    "with few updates, much jitter and loss": { latencyMs: 150, jitterMs: 50, lossRate: 0.1, snapshotRate: 15 },
    "with few updates, at 144 frames a second": {
      latencyMs: 80,
      jitterMs: 50,
      lossRate: 0.1,
      snapshotRate: 15,
      frameRate: 144,
    },
    "when not all fits into a snapshot": {
      latencyMs: 80,
      jitterMs: 20,
      lossRate: 0.05,
      snapshotRate: 15,
      snapshotBudgetBytes: 40,
    },
    "over a long line that loses packets three at a time": {
      latencyMs: 300,
      jitterMs: 20,
      lossRate: 0.1,
      burstPackets: 3,
      snapshotRate: 30,
      maxRewindMs: 750,
    },
    'in the mode "hermite"': { latencyMs: 80, jitterMs: 20, lossRate: 0.05, snapshotRate: 15, mode: "hermite" },
    'in the mode "extrapolation"': {
      latencyMs: 80,
      jitterMs: 20,
      lossRate: 0.05,
      snapshotRate: 30,
      mode: "extrapolation",
    },
    'in the mode "extrapolation", with few updates, at 144 frames a second': {
      latencyMs: 80,
      jitterMs: 20,
      lossRate: 0.05,
      snapshotRate: 15,
      mode: "extrapolation",
      frameRate: 144,
    },
    "of the news, over a long line": { latencyMs: 300, snapshotRate: 30, mode: "ahead" },
    "of the news by less": { latencyMs: 300, snapshotRate: 30, mode: "ahead", extrapolateByMs: 150 },
    "of the news, over a line that is usual otherwise": {
      latencyMs: 80,
      jitterMs: 20,
      lossRate: 0.05,
      snapshotRate: 30,
      mode: "ahead",
    },
    "of the news, at 144 frames a second": {
      latencyMs: 300,
      jitterMs: 10,
      snapshotRate: 30,
      mode: "ahead",
      frameRate: 144,
    },
  };
  for (const [name, conditions] of Object.entries(cases)) {
    const where = conditions.mode === "ahead" ? `ahead ${name}` : name;
    it(`hits whom it hits in the picture, and nobody else, ${where}`, () => {
      const { total, tallies } = playRange(conditions, SECONDS);
      assert.ok(total.drawnHits > 600 && total.drawnMisses > 600, JSON.stringify(total));
      assert.ok(total.hits >= total.drawnHits * 0.995, JSON.stringify(tallies));
      assert.ok(total.falseHits <= total.drawnMisses * 0.005, JSON.stringify(tallies));
      for (const kind of MOVERS) assert.ok(tallies[kind].drawnHits > 100, `${kind}: ${JSON.stringify(tallies[kind])}`);
    });
  }

  it("is led by whoever is farther back than the limit", () => {
    const { total, rewindMaxMs } = playRange({ latencyMs: 300, snapshotRate: 30, maxRewindMs: 250 }, SECONDS);
    assert.ok(total.hits < total.drawnHits * 0.9, JSON.stringify(total));
    assert.ok(rewindMaxMs <= 250 + 1000 / 60, `${rewindMaxMs} ms`);
  });
});

describe("a ray", () => {
  const coordinate = { min: -64, max: 64, step: 1 / 1024 } as const;
  const speed = { min: -16, max: 16, step: 1 / 64 } as const;
  for (const [mode, audience] of [
    ["linear", "all"],
    ["hermite", "all"],
    ["hermite", "owner"],
    ["extrapolation", "all"],
    ["extrapolation", "owner"],
    ["ahead", "owner"],
    ["ahead", "nobody, as there are none"],
  ] as const) {
    it(`meets everybody where they were drawn, also where they never were: in the mode "${mode}", speeds told to ${audience}`, () => {
      const pose = { x: 0, y: 0, angle: 0 };
      const hasSpeeds = audience === "all" || audience === "owner";
      let outside = 0;
      let rays = 0;
      const game = defineGame({
        tickRate: 60,
        snapshotRate: 30,
        snapDistance: 0.5,
        states: {
          players: defineState({ x: float(coordinate), y: float(coordinate) }, { capacity: 4 }),
          movers: defineState(
            {
              x: float(coordinate),
              y: float(hasSpeeds ? { ...coordinate, velocity: "vy" } : coordinate),
              vy: float(hasSpeeds ? { ...speed, audience } : speed),
              pad: uint({ bits: 16 }),
            },
            { capacity: 128 },
          ),
        },
        input: defineInput({ fire: bool() }),
        join(world, client) {
          world.players.spawn(client.id);
          for (let i = 0; i < 100; i++)
            world.movers.spawn(-1, { x: (i % 10) * 8 - 40, y: Math.floor(i / 10) * 8 - 40 });
        },
        step(world, inputs) {
          const me = world.players.firstOwnedBy(0);
          if (me === undefined || !world.isServer) return;
          const seen = world.movers.seenBy(me);
          for (const mover of world.movers) {
            if (world.tick < 200 || !inputs.of(me).fire || !seen.poseOf(mover, pose)) continue;
            const { x, y } = pose;
            // They walk 5 m up and down.
            if (Math.abs(y - (Math.floor(mover.index / 10) * 8 - 40) + 2.5) > 2.8) outside++;
            rays++;
            const hit = seen.raycast(x - 2, y, 0, 3, ({ id }) => id === mover.id);
            assert.equal(hit?.entity, mover, `tick ${world.tick}`);
          }
          for (const mover of world.movers) {
            mover.vy = Math.floor((world.tick + mover.index * 13) / 30) % 2 === 0 ? 10 : -10;
            mover.y += mover.vy * world.dt;
            mover.pad = world.tick * 7;
          }
        },
      });
      // Not all of them fit.
      const network = new TestNetwork(game, { snapshotBudgetBytes: 200 });
      const latencyMs = mode === "ahead" ? 300 : 80;
      network.add({ latencyMs, jitterMs: 10, lossRate: 0.02 }, { fire: true }, { interpolationMode: mode });
      network.run(8000);
      assert.ok(rays > 10_000 && outside > 30, `${rays} rays, ${outside} at places where they never were`);
    });
  }
});
