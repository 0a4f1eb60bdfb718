/** What flies is lag-compensated, too: at first as the shooter sees its target, in the end as it is. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  angle,
  bool,
  circle,
  defineGame,
  defineInput,
  defineState,
  float,
  ProjectileRewind,
} from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const TICK_RATE = 60;
const SPEED = 40;
const coordinate = float({ min: -50, max: 50, step: 1 / 512 });

interface Ball {
  x: number;
  y: number;
  readonly angle: number;
  age: number;
}

/** How many of the shots hit that a player fires who leads a target running by as it is drawn. */
function play(catchUpMs: number, latencyMs: number): { shots: number; hits: number } {
  const rewind = new ProjectileRewind({ tickRate: TICK_RATE, catchUpMs });
  const balls: Ball[] = [];
  const score = { shots: 0, hits: 0 };
  let wasFired = false;
  const game = defineGame({
    tickRate: TICK_RATE,
    states: {
      shooters: defineState({ x: coordinate, y: coordinate }),
      targets: defineState({ x: coordinate, y: coordinate }, { hitbox: circle({ radius: 0.5 }) }),
    },
    input: defineInput({ fire: bool(), aim: angle({ bits: 16 }) }),
    join(world, client) {
      world.shooters.spawn(client.id, { x: 0, y: 0 });
      world.targets.spawn(-1, { x: 2.5, y: 0 });
    },
    step(world, inputs) {
      if (!world.isServer) return;
      const shooter = world.shooters.firstOwnedBy(0);
      if (shooter === undefined) return;
      for (const target of world.targets) {
        // There and back over 20 m, at 6 m/s.
        const way = (world.tick * 6) / TICK_RATE;
        target.y = Math.abs((way % 40) - 20) - 10;
      }
      const { fire, aim } = inputs.of(shooter);
      if (fire && !wasFired) {
        balls.push({ x: shooter.x, y: shooter.y, angle: aim, age: 0 });
        score.shots++;
      }
      wasFired = fire;
      const sight = world.targets.seenBy(shooter);
      for (const ball of balls.splice(0)) {
        const [dx, dy] = [Math.cos(ball.angle), Math.sin(ball.angle)];
        const { x, y } = ball;
        const towardsNow = rewind.towardsNow(ball.age);
        const body = { ax: x, ay: y, az: 0, bx: x, by: y, bz: 0, radius: 0.1 };
        if (sight.performSweep(body, dx, dy, 0, SPEED / TICK_RATE, { towardsNow }) !== undefined) {
          score.hits++;
          continue;
        }
        ball.x += (dx * SPEED) / TICK_RATE;
        ball.y += (dy * SPEED) / TICK_RATE;
        if (++ball.age < 20) balls.push(ball);
      }
    },
  });
  const network = new TestNetwork(game);
  const player = network.add({ latencyMs, jitterMs: 5 }, { fire: false, aim: 0 });
  let before = Number.NaN;
  player.onFrame = (now): void => {
    const [target] = player.client.view.targets;
    if (target === undefined) return;
    const pace = target.y - before;
    before = target.y;
    // Where it will be on the screen when the ball is there.
    const flight = (2.5 / SPEED) * TICK_RATE;
    const ahead = target.y + pace * flight;
    player.input = { fire: now > 2000 && Math.abs(target.y) < 1.5, aim: Math.atan2(ahead, 2.5) };
  };
  network.run(60_000);
  return score;
}

describe("a projectile", () => {
  it("hits at short range whom the shooter leads on its screen, on any line", () => {
    for (const latencyMs of [30, 150, 300]) {
      const { shots, hits } = play(300, latencyMs);
      assert.ok(shots >= 15 && hits >= shots * 0.9, `${hits} of ${shots} at ${latencyMs} ms`);
    }
  });

  it("would miss if everybody were looked at where they are", () => {
    const { shots, hits } = play(0, 300);
    assert.ok(shots >= 15 && hits <= shots * 0.1, `${hits} of ${shots}`);
  });
});
