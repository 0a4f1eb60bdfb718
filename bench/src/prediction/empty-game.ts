/** The game whose replays are measured: twelve fields, one player, and a step that does nothing. */
import { angle, bool, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";
import type { AnyGame, InputOf } from "@riposte/simulation";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });
const speed = float({ min: -32, max: 32, step: 1 / 256 });

const Player = defineState(
  {
    x: coordinate,
    y: coordinate,
    z: coordinate,
    vx: speed,
    vy: speed,
    vz: speed,
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

/** `corrects`: the server moves the player where no client expects it, at every snapshot. */
export function emptyGame(corrects: boolean): AnyGame {
  return defineGame({
    name: "empty",
    tickRate: 128,
    snapshotRate: 64,
    states: { players: Player },
    input: Input,
    join(world, client) {
      world.players.spawn(client.id, { x: 100, y: -20.5, z: 3, vx: 7.25, vy: -2, vz: 0.5, yaw: 1, health: 80 });
    },
    step(world) {
      if (!world.isServer || !corrects) return;
      for (const player of world.players) player.x = (world.tick * 37) % 400;
    },
  });
}

export const input: InputOf<AnyGame> = { right: 0.5, jump: true, aim: 2 };
