/** A game that uses what a step may use: every kind of number, walls, rays, random numbers, entities that come and go. */
import {
  angle,
  atan2,
  bool,
  cos,
  defineGame,
  defineInput,
  defineState,
  entity,
  enumeration,
  exp,
  f32,
  float,
  hypot,
  int,
  NO_ENTITY,
  pow,
  quaternion,
  sin,
  uint,
  vec2,
} from "@riposte/simulation";
import type { GameDefinition } from "@riposte/simulation";

const Ship = defineState({
  x: float({ min: -40, max: 40, step: 1 / 512 }),
  y: float({ min: -40, max: 40, step: 1 / 512 }),
  velocity: vec2(float({ min: -20, max: 20, step: 1 / 256 })),
  heading: angle({ bits: 12 }),
  attitude: quaternion({ bits: 10 }),
  charge: f32(),
  mood: enumeration(["calm", "keen", "wild"]),
  shield: uint({ max: 1000 }),
  target: entity(),
});
const Spark = defineState(
  {
    x: float({ min: -40, max: 40, step: 1 / 512 }),
    y: float({ min: -40, max: 40, step: 1 / 512 }),
    heading: angle({ bits: 12 }),
    age: int({ min: 0, max: 255 }),
  },
  { capacity: 64 },
);
const Controls = defineInput({ thrust: bool(), fire: bool(), aim: angle({ bits: 12 }) });

export const determinismGame: GameDefinition<
  { readonly ships: typeof Ship; readonly sparks: typeof Spark },
  (typeof Controls)["fields"]
> = defineGame({
  tickRate: 60,
  states: { ships: Ship, sparks: Spark },
  input: Controls,
  statics: { boxes: [{ x: 5, y: 0, width: 4, height: 12 }], circles: [{ x: -8, y: 6, radius: 3 }] },
  join(world, client) {
    world.ships.spawn(client.id, { x: client.id * 3 - 10, y: world.random.between(-5, 5), shield: 1000 });
  },
  step(world, inputs) {
    for (const ship of world.ships) {
      const { thrust, fire, aim } = inputs.of(ship);
      ship.heading = aim;
      if (thrust) {
        ship.velocity.x += cos(aim) * 12 * world.dt;
        ship.velocity.y += sin(aim) * 12 * world.dt;
      }
      const drag = exp(-0.8 * world.dt);
      ship.velocity.x *= drag;
      ship.velocity.y *= drag;
      place.x = ship.x;
      place.y = ship.y;
      world.statics.moveCircle(place, 0.6, ship.velocity.x * world.dt, ship.velocity.y * world.dt);
      ship.x = place.x;
      ship.y = place.y;
      ship.attitude = { x: sin(aim / 2), y: 0, z: sin(ship.charge) * 0.1, w: cos(aim / 2) };
      ship.charge = fire ? pow(ship.charge + 1.01, 0.97) : ship.charge * 0.99;
      ship.mood = ship.charge > 4 ? "wild" : ship.charge > 1 ? "keen" : "calm";
      ship.target = NO_ENTITY;
      const hit = world.ships.seenBy(ship).raycast(ship.x, ship.y, aim, 30);
      if (hit !== undefined) {
        ship.target = hit.entity.id;
        if (fire) hit.entity.shield = (hit.entity.shield + 999) % 1001;
      }
      if (fire && !world.sparks.full && world.randomOf(ship).next() < 0.2)
        world.sparks.spawn(ship.owner, { x: ship.x, y: ship.y, heading: aim + world.random.between(-0.2, 0.2) });
    }
    for (const spark of world.sparks) {
      spark.heading += atan2(-spark.y, -spark.x) * 0.01;
      spark.x += cos(spark.heading) * 0.3;
      spark.y += sin(spark.heading) * 0.3;
      if (++spark.age > 90 || hypot(spark.x, spark.y) > 35) world.sparks.despawn(spark);
    }
  },
});

const place = { x: 0, y: 0 };
