/** The first program of DESIGN.md, word for word but for its layout: the measure of the API. */
import { angle, bool, defineGame, defineInput, defineState, float, uint } from "@riposte/simulation";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const Player = defineState({ x: coordinate, y: coordinate, aim: angle({ bits: 10 }), health: uint({ max: 100 }) });
const Input = defineInput({
  up: bool(),
  down: bool(),
  left: bool(),
  right: bool(),
  fire: bool(),
  aim: angle({ bits: 10 }),
});

export const game = defineGame({
  tickRate: 60,
  states: { players: Player },
  input: Input,
  join(world, client) {
    world.players.spawn(client.id, { health: 100 });
  },
  step(world, inputs) {
    for (const player of world.players) {
      const input = inputs.of(player);
      player.x += (Number(input.right) - Number(input.left)) * 6 * world.dt;
      player.y += (Number(input.down) - Number(input.up)) * 6 * world.dt;
      player.aim = input.aim;
      if (!input.fire) continue;
      const hit = world.players.seenBy(player).raycast(player.x, player.y, player.aim, 40); // client: as drawn; server: rewound to that
      if (hit && world.isServer) hit.entity.health -= 25;
    }
  },
});
