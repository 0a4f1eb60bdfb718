/** A small game for the behaviour tests: players who move with inertia between walls, and shoot. */
import {
  angle,
  bool,
  circle,
  defineCall,
  defineGame,
  defineInput,
  defineMessage,
  defineState,
  float,
  text,
  uint,
} from "@riposte/simulation";
import type { InputOf } from "@riposte/simulation";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });
const speed = float({ min: -20, max: 20, step: 1 / 256 });

export const Player = defineState(
  {
    x: coordinate,
    y: coordinate,
    vx: speed,
    vy: speed,
    aim: angle({ bits: 14 }),
    health: uint({ max: 100, predicted: false }),
    shots: uint({ max: 65_535, audience: "owner" }),
    secret: uint({ max: 1000, audience: "server" }),
  },
  { capacity: 32, hitbox: circle({ radius: 0.5 }) },
);

export const Input = defineInput({
  moveX: float({ min: -1, max: 1, step: 1 / 64 }),
  moveY: float({ min: -1, max: 1, step: 1 / 64 }),
  fire: bool(),
  aim: angle({ bits: 14 }),
});

export const Chat = defineMessage("chat", { text: text({ maxBytes: 100 }) });
export const Add = defineCall("add", { a: uint({ max: 1000 }), b: uint({ max: 1000 }) }, { sum: uint({ max: 2000 }) });

/** What the server judged, in order. */
export const verdicts: { tick: number; shooter: number; hit: number }[] = [];
/** Chat heard by the server. */
export const heard: string[] = [];

const point = { x: 0, y: 0 };

export const game = defineGame({
  name: "shooting",
  tickRate: 60,
  states: { players: Player },
  input: Input,
  messages: [Chat, Add],
  statics: { boxes: [{ x: 0, y: 20, width: 30, height: 2 }] },
  join(world, client) {
    world.players.spawn(client.id, { x: client.id * 4, y: 0, health: 100, secret: 500 });
  },
  receive(world, client, message) {
    if (message.is(Chat)) {
      heard.push(message.value.text);
      world.broadcast(Chat, { text: `${client.id}: ${message.value.text}` });
    }
  },
  step(world, inputs) {
    for (const player of world.players) {
      const input = inputs.of(player);
      player.vx += (input.moveX * 6 - player.vx) * 0.2;
      player.vy += (input.moveY * 6 - player.vy) * 0.2;
      point.x = player.x;
      point.y = player.y;
      world.statics.moveCircle(point, 0.5, player.vx * world.dt, player.vy * world.dt);
      player.x = point.x;
      player.y = point.y;
      player.aim = input.aim;
      if (!input.fire) continue;
      player.shots += 1;
      const hit = world.players.seenBy(player).raycast(player.x, player.y, player.aim, 60);
      if (!world.isServer) continue;
      verdicts.push({ tick: world.tick, shooter: player.owner, hit: hit?.entity.owner ?? -1 });
      if (hit) hit.entity.health -= 1;
    }
  },
});

export const still: InputOf<typeof game> = { moveX: 0, moveY: 0, fire: false, aim: 0 };
