/**
 * The game of the sweep: players who run about in a small yard and push each other. A client sees the others where they
 * are drawn, some time ago, so it cannot know exactly when it will be pushed: there are real mispredictions. Each tick
 * that a client simulates is told to a listener.
 */
import { bool, defineGame, defineInput, defineState, float } from "@riposte/simulation";
import type { InputOf } from "@riposte/simulation";

const YARD = 16;
const RADIUS = 0.5;
const SPEED = 6;
/** Speed that a pushed player is thrown away with. */
const PUSH = 4;

const place = { min: -YARD, max: YARD, step: 1 / 512 } as const;
const speed = float({ min: -20, max: 20, step: 1 / 256 });

/** Hears where the own player of a client's world is after a simulated tick. */
export type TickListener = (world: object, tick: number, x: number, y: number) => void;

// oxlint-disable-next-line typescript/explicit-function-return-type: what a game is, is inferred.
export function pushingGame(tickRate: number, snapshotRate: number, heard: TickListener) {
  return defineGame({
    name: "sweep",
    tickRate,
    snapshotRate,
    states: {
      players: defineState({
        x: float({ ...place, velocity: "vx" }),
        y: float({ ...place, velocity: "vy" }),
        vx: speed,
        vy: speed,
      }),
    },
    input: defineInput({ left: bool(), right: bool(), up: bool(), down: bool() }),
    join(world, client) {
      const angle = client.id * 2.4;
      world.players.spawn(client.id, { x: 10 * Math.cos(angle), y: 10 * Math.sin(angle) });
    },
    step(world, inputs) {
      const { dt } = world;
      const grip = 1 - 0.0005 ** dt;
      for (const player of world.players) {
        const { left, right, up, down } = inputs.of(player);
        player.vx += ((Number(right) - Number(left)) * SPEED - player.vx) * grip;
        player.vy += ((Number(down) - Number(up)) * SPEED - player.vy) * grip;
        for (const other of world.players.all()) {
          if (other.id === player.id) continue;
          const dx = player.x - other.x;
          const dy = player.y - other.y;
          const distance = Math.sqrt(dx * dx + dy * dy);
          if (distance >= RADIUS * 2 || distance === 0) continue;
          player.vx = (dx / distance) * PUSH;
          player.vy = (dy / distance) * PUSH;
        }
        player.x = clamp(player.x + player.vx * dt);
        player.y = clamp(player.y + player.vy * dt);
        if (!world.isServer) heard(world, world.tick, player.x, player.y);
      }
    },
  });
}

export type PushingGame = ReturnType<typeof pushingGame>;
export type Keys = InputOf<PushingGame>;

function clamp(value: number): number {
  return Math.min(YARD, Math.max(-YARD, value));
}
