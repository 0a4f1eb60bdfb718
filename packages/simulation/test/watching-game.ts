/** A game in which everybody looks at everybody in every tick; `looks` has how old a picture each look was judged at. */
import { defineGame, defineInput, defineState, bool, float } from "@riposte/simulation";
import type { Player } from "./link.ts";

const coordinate = float({ min: -500, max: 500, step: 1 / 512 });

export interface Look {
  readonly tick: number;
  readonly owner: number;
  /** From the picture to the tick of its input. */
  readonly ageMs: number;
}

/** Since it was emptied. */
export const looks: Look[] = [];

export const Input = defineInput({ go: bool() });

/** `keepsLate`: inputs that come late are looked at, too. */
export function watchingGame(snapshotRate: number, keepsLate = false) {
  const game = defineGame({
    tickRate: 60,
    snapshotRate,
    states: { players: defineState({ x: coordinate, y: coordinate }, { capacity: 32 }) },
    input: Input,
    join(world, client) {
      world.players.spawn(client.id, { x: client.id * 4 });
    },
    step(world, inputs) {
      for (const player of world.players) {
        if (inputs.of(player).go) player.y += 6 * world.dt;
        if (world.isServer) look(world.tick, player.owner, world.players.seenBy(player).viewTick);
      }
    },
  });
  if (!keepsLate) return game;
  return defineGame({
    ...game,
    late(world, _input, seat) {
      const player = world.players.firstOwnedBy(seat);
      if (player !== undefined) look(world.tick, seat, world.players.seenBy(player).viewTick);
    },
  });
}

function look(tick: number, owner: number, viewTick: number): void {
  if (viewTick >= 0) looks.push({ tick, owner, ageMs: ((tick - viewTick) * 1000) / 60 });
}

export type Watcher = Player<ReturnType<typeof watchingGame>>;
