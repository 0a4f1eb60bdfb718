/** 64 walkers two by two; the server moves one of them where no client expects it, before every snapshot. */
import { game as arena } from "@riposte/arena/game";
import { defineGame, defineInput, defineState, float, MovementPredictor } from "@riposte/simulation";
import type { AnyGame, InputOf } from "@riposte/simulation";

const coordinate = float({ min: -200, max: 200, step: 1 / 256 });
const speed = float({ min: -32, max: 32, step: 1 / 64 });
const axis = float({ min: -1, max: 1, step: 1 / 64 });
const PAIRS = 32;
/** Walkers that are nearer keep away from each other; islands are joined a little farther. */
const NEAR = 1.5;
const MARGIN = 0.5;

export const pairInputs: readonly InputOf<AnyGame>[] = [
  { x: 1, y: 0 },
  { x: 0, y: 1 },
  { x: -1, y: 0 },
  { x: 0, y: -1 },
];

/** `heavy`: the reference movement step among the arena's walls, and each keeps away from all others; else they only move. */
export function pairGame(heavy: boolean, islands: boolean): AnyGame {
  const mover = new MovementPredictor({ radius: 0.4, maxSpeed: 4, acceleration: 80, friction: 55 });
  const want = { moveX: 0, moveY: 0, jump: false, dash: false, aim: 0 };
  return defineGame({
    name: "pairs",
    tickRate: 60,
    states: {
      walkers: defineState({ x: coordinate, y: coordinate, vx: speed, vy: speed }, { capacity: 2 * PAIRS }),
    },
    input: defineInput({ x: axis, y: axis }),
    statics: arena.statics,
    prediction: islands
      ? {
          islands(world, out) {
            const { x, y } = world.walkers.columns;
            const reach = (NEAR + MARGIN) ** 2;
            for (const one of world.walkers)
              for (let other = one.index + 1; other < world.walkers.highWater; other++)
                if ((x[one.index] - x[other]) ** 2 + (y[one.index] - y[other]) ** 2 < reach)
                  out.join(one, world.walkers.rowAt(other));
          },
        }
      : {},
    join(world, client) {
      for (let i = 0; i < 2 * PAIRS; i++)
        world.walkers.spawn(client.id, { x: ((i >> 1) % 8) * 10 - 40 + (i & 1), y: (i >> 4) * 10 - 20 });
    },
    step(world, inputs) {
      const { walkers } = world;
      for (const walker of walkers) {
        const wish = inputs.of(walker);
        if (!heavy) {
          walker.x += wish.x * world.dt;
          walker.y += wish.y * world.dt;
          continue;
        }
        want.moveX = wish.x;
        want.moveY = wish.y;
        for (const other of walkers) {
          const distance = Math.hypot(walker.x - other.x, walker.y - other.y);
          if (other.index === walker.index || distance > NEAR) continue;
          walker.vx += (walker.x - other.x) * (NEAR - distance);
          walker.vy += (walker.y - other.y) * (NEAR - distance);
        }
        mover.step(walker, want, world.dt, world.statics);
      }
      if (!world.isServer || world.tick % 2 !== 0) return;
      const first = walkers.rowAt(0);
      if (walkers.alive[0] === 1) first.x += (world.tick & 2) / 64 - 1 / 64;
    },
  });
}
