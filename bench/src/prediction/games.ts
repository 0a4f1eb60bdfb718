/** The games that are measured. */
import { game as arena } from "@riposte/arena/game";
import { angle, bool, defineGame, defineInput, defineState, float, MovementPredictor, uint } from "@riposte/simulation";
import type { AnyGame, InputOf } from "@riposte/simulation";

const far = float({ min: -500, max: 500, step: 1 / 512 });
const pace = float({ min: -32, max: 32, step: 1 / 256 });

const Player = defineState(
  {
    x: far,
    y: far,
    z: far,
    vx: pace,
    vy: pace,
    vz: pace,
    yaw: angle({ bits: 12 }),
    pitch: angle({ bits: 12 }),
    energy: float({ min: 0, max: 100, step: 1 / 16 }),
    health: uint({ max: 100 }),
    ammunition: uint({ max: 255 }),
    grounded: bool(),
  },
  { capacity: 8 },
);

const Input = defineInput({ right: float({ min: -1, max: 1, step: 1 / 127 }), jump: bool(), aim: angle({ bits: 12 }) });

/** Twelve fields and a step that does nothing, but that the server moves the player where no client expects it. */
export const emptyGame: AnyGame = defineGame({
  name: "empty",
  tickRate: 128,
  snapshotRate: 64,
  states: { players: Player },
  input: Input,
  join(world, client) {
    world.players.spawn(client.id, { x: 100, y: -20.5, z: 3, vx: 7.25, vy: -2, vz: 0.5, yaw: 1, health: 80 });
  },
  step(world) {
    if (!world.isServer) return;
    for (const player of world.players) player.x = (world.tick * 37) % 400;
  },
});

export const emptyInputs: readonly InputOf<AnyGame>[] = [{ right: 0.5, jump: true, aim: 2 }];

/** Takes the arena's inputs, and does nothing with them. */
export const idleGame: AnyGame = defineGame({
  name: "idle",
  tickRate: arena.tickRate,
  states: {},
  input: arena.input,
  join() {},
  step() {},
});

const coordinate = float({ min: -50, max: 50, step: 1 / 256 });
const speed = float({ min: -32, max: 32, step: 1 / 64 });
const Walker = defineState(
  {
    x: coordinate,
    y: coordinate,
    vx: speed,
    vy: speed,
    aim: angle({ bits: 11 }),
    dash: uint({ max: 10 }),
    dashWait: uint({ max: 66 }),
  },
  { capacity: 128 },
);

/** The reference movement step among the arena's walls. `pushes`: the server moves players where no client expects it. */
export function walkingGame(pushes: boolean): AnyGame {
  const mover = new MovementPredictor({
    radius: 0.7,
    maxSpeed: 8.5,
    acceleration: 80,
    friction: 55,
    dashSpeed: 27,
    dashTicks: 10,
    dashCooldownTicks: 66,
  });
  const want = { moveX: 0, moveY: 0, jump: false, dash: false, aim: 0 };
  return defineGame({
    name: "walking",
    tickRate: arena.tickRate,
    states: { walkers: Walker },
    input: arena.input,
    statics: arena.statics,
    join(world, client) {
      // On a circle that no wall of the arena crosses.
      const turn = client.id * 2.4;
      world.walkers.spawn(client.id, { x: 13 * Math.cos(turn), y: 13 * Math.sin(turn) });
    },
    step(world, inputs) {
      for (const walker of world.walkers) {
        const wish = inputs.of(walker);
        want.moveX = Number(wish.right) - Number(wish.left);
        want.moveY = Number(wish.down) - Number(wish.up);
        want.dash = wish.dash;
        want.aim = wish.aim;
        mover.step(walker, want, world.dt, world.statics);
        if (pushes && world.isServer && world.tick % 2 === 0) walker.x += (world.tick & 2) / 64 - 1 / 64;
      }
    },
  });
}

/** Round a square. */
export const walkingInputs: readonly InputOf<AnyGame>[] = [
  { right: true, aim: 0 },
  { down: true, aim: 1.5 },
  { left: true, dash: true, aim: 3 },
  { up: true, fire: true, aim: -1.5 },
];
