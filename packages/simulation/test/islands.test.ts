/** A client that replays only islands, beside one that replays everything: fed with the same, they hold the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  bool,
  defineEvent,
  defineGame,
  defineInput,
  defineState,
  float,
  GameClient,
  outgoingMessage,
  uint,
} from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";
import { TestNetwork } from "./link.ts";
import type { Player } from "./link.ts";

const coordinate = float({ min: -200, max: 200, step: 1 / 512 });
const speed = float({ min: -16, max: 16, step: 1 / 512 });
const axis = float({ min: -1, max: 1, step: 1 / 64 });
const still = { x: 0, y: 0, kick: false };

const Kicked = defineEvent("kicked", { x: coordinate }, { channel: "unreliableUnordered" });

/** How far a unit kicks, and balls touch. */
const REACH = 1.5;
const TOUCH = 1;
/** No ball is faster, in units a second. */
const MAX_SPEED = 12;

interface GameChoice {
  readonly units: number;
  readonly sharedRadius: number;
  /** `world.random` is drawn from in every so many ticks; 0: never. */
  readonly windTicks: number;
  /** Whether a field changes that only the server knows. */
  readonly wears: boolean;
  /** What is joined is wider or, for a game that joins too little, narrower by this. */
  readonly slack: number;
}

function pushGame({ units, sharedRadius, windTicks, wears, slack }: GameChoice) {
  return defineGame({
    tickRate: 60,
    states: {
      balls: defineState(
        {
          x: coordinate,
          y: coordinate,
          vx: speed,
          vy: speed,
          heat: uint({ max: 63, predicted: false }),
          touches: uint({ max: 255 }),
          glow: uint({ max: 15 }),
          worn: uint({ max: 255, audience: "server" }),
        },
        { capacity: 64 },
      ),
      units: defineState(
        { x: coordinate, y: coordinate, kicks: uint({ max: 255, audience: "owner" }) },
        { capacity: 16 },
      ),
    },
    input: defineInput({ x: axis, y: axis, kick: bool() }),
    events: [Kicked],
    prediction: {
      shared: { balls: { radius: sharedRadius } },
      islands(world, out) {
        const { balls, units: own } = world;
        for (const ball of balls) {
          for (const unit of own)
            if (Math.hypot(ball.x - unit.x, ball.y - unit.y) < REACH + 0.3 + slack) out.join(ball, unit);
          for (const other of balls)
            if (other.index > ball.index && Math.hypot(ball.x - other.x, ball.y - other.y) < TOUCH + 0.5 + slack)
              out.join(ball, other);
        }
      },
    },
    join(world, client) {
      for (let i = 0; i < units; i++) world.units.spawn(client.id, { x: client.id * 4, y: i * 4 - 6 });
    },
    step(world, inputs) {
      const { balls } = world;
      for (const unit of world.units) {
        const input = inputs.of(unit);
        unit.x += input.x * 6 * world.dt;
        unit.y += input.y * 6 * world.dt;
        if (!input.kick) continue;
        for (const ball of balls) {
          const distance = Math.hypot(ball.x - unit.x, ball.y - unit.y);
          if (distance > REACH) continue;
          ball.vx = ((ball.x - unit.x) / (distance + 0.1)) * MAX_SPEED;
          ball.vy = ((ball.y - unit.y) / (distance + 0.1)) * MAX_SPEED;
          ball.touches = (ball.touches + 1) & 255;
          unit.kicks = (unit.kicks + 1) & 255;
          world.emit(Kicked, unit, { x: ball.x });
        }
      }
      for (const ball of balls) {
        for (const other of balls) {
          if (other.index <= ball.index || Math.hypot(ball.x - other.x, ball.y - other.y) > TOUCH) continue;
          [ball.vx, other.vx] = [other.vx, ball.vx];
          [ball.vy, other.vy] = [other.vy, ball.vy];
          ball.touches = (ball.touches + 1) & 255;
          if (wears) other.worn = (other.worn + 1) & 255;
        }
        if (windTicks > 0 && world.tick % windTicks === 0 && ball.vx !== 0) ball.vx += world.random.next() - 0.5;
        ball.vy += (world.randomOf(ball).next() - 0.5) * Math.abs(ball.vy) * 0.1;
        const pace = Math.max(1, Math.hypot(ball.vx, ball.vy) / MAX_SPEED);
        ball.vx *= 0.98 / pace;
        ball.vy *= 0.98 / pace;
        ball.x += ball.vx * world.dt;
        ball.y += ball.vy * world.dt;
        if (ball.glow > 0) ball.glow--;
        if (ball.touches === 40) balls.despawn(ball);
      }
    },
  });
}

type PushGame = ReturnType<typeof pushGame>;

function withoutIslands(game: PushGame): PushGame {
  const { islands: _, ...prediction } = game.prediction;
  return defineGame({ ...game, prediction });
}

/** Another client that is handed whatever the player's is; `check` compares the two after every frame. */
class Twin {
  readonly client: GameClient<PushGame>;
  readonly #player: Player<PushGame>;
  readonly #out = outgoingMessage();
  readonly #sent: string[][] = [[], []];
  readonly #heard: string[][] = [[], []];

  constructor(player: Player<PushGame>, game: PushGame) {
    const client = new GameClient(game);
    client.updateLink(player.conditions.latencyMs, player.conditions.lossRate ?? 0);
    this.client = client;
    this.#player = player;
    const one = player.client;
    for (const [at, { events }] of [one, client].entries())
      events.on(
        Kicked,
        ({ x }, { tick, id }) => this.#heard[at].push(`${tick} ${id} ${x}`),
        ({ x }) => this.#heard[at].push(`no ${x}`),
      );
    const receive = one.receive.bind(one);
    one.receive = (bytes, offset, length, now) => {
      client.receive(bytes.slice(), offset, length, now);
      return receive(bytes, offset, length, now);
    };
    const advance = one.advance.bind(one);
    one.advance = (now, input) => {
      client.advance(now, input);
      advance(now, input);
      this.check();
    };
    const poll = one.pollMessage.bind(one);
    one.pollMessage = (out) => {
      const more = poll(out);
      if (more) this.#note(0, out);
      else {
        while (client.pollMessage(this.#out)) this.#note(1, this.#out);
        assert.deepEqual(this.#sent[0], this.#sent[1]);
        this.#sent[0].length = this.#sent[1].length = 0;
      }
      return more;
    };
  }

  check(): void {
    const one = this.#player.client;
    const two = this.client;
    for (const name of ["balls", "units"] as const) {
      for (const key of ["highWater", "simulated", "alive", "owners", "generations", "words"] as const)
        assert.deepEqual(one.world[name][key], two.world[name][key], `${name}.${key}`);
      const [a, b] = [one, two].map(({ view }) => [...view[name]].map(({ id, x, y }) => [id, x, y]));
      assert.deepEqual(a, b);
    }
    assert.equal(one.predictedTick, two.predictedTick);
    const [a, b] = [one, two].map(({ stats: { prediction } }) => {
      const {
        corrections,
        mispredictions,
        remoteMispredictions,
        replayedTicks,
        maxReplayTicks,
        stalledTicks,
        last,
        events,
      } = prediction;
      return {
        corrections,
        mispredictions,
        remoteMispredictions,
        replayedTicks,
        maxReplayTicks,
        stalledTicks,
        last,
        events,
      };
    });
    assert.deepEqual(a, b);
    assert.deepEqual(this.#heard[0], this.#heard[1]);
  }

  #note(at: number, { buffer, offset, length }: ReturnType<typeof outgoingMessage>): void {
    this.#sent[at].push(Buffer.from(buffer.subarray(offset, offset + length)).toString("hex"));
  }
}

/** Two players among balls, and a server that pushes, moves, takes and gives as its seed says. */
function play(seed: number, slack?: number, ms = 1200) {
  const random = new TickRandom();
  random.reseed(seed, 1);
  const pick = (most: number): number => Math.floor(random.next() * most);
  const choice = {
    units: 1 + pick(4),
    sharedRadius: 6 + pick(30),
    windTicks: [0, 0, 40, 7, 1][pick(5)],
    wears: pick(4) === 0,
    slack: slack ?? random.next(),
  };
  const game = pushGame(choice);
  const network = new TestNetwork(game);
  const ada = network.add({ latencyMs: 20 + pick(180), jitterMs: pick(30), lossRate: pick(3) * 0.05 }, still);
  const eve = network.add({ latencyMs: 60 }, still);
  const twin = new Twin(ada, withoutIslands(game));
  const { balls } = network.match.world;
  const spread = 8 + pick(50);
  const place = (): number => (random.next() - 0.5) * spread;
  for (let i = 4 + pick(20); i > 0; i--) balls.spawn(-1, { x: place(), y: place() });
  const surprises = 2 + pick(30);
  const onlyGlow = pick(5) === 0;
  network.onTick = () => {
    if (pick(surprises) > 0) return;
    const rows = [...balls.all()];
    const row = rows[pick(rows.length)];
    const kind = onlyGlow ? 6 : pick(9);
    if (kind === 0 && rows.length < 40) balls.spawn(-1, { x: place(), y: place(), vx: place() });
    else if (row === undefined) return;
    else if (kind === 1) balls.despawn(row);
    else if (kind === 2) row.heat = pick(64);
    else if (kind === 3) row.x += place();
    else if (kind === 4 && ada.seat >= 0) balls.setOwner(row, pick(2) === 0 ? ada.seat : -1);
    else if (kind === 5) network.match.world.units.firstOwnedBy(ada.seat)!.y += place() / 4;
    else if (kind === 6) row.glow = 2 + pick(6);
    else row.vx = place();
  };
  for (let at = 0; at < ms; at += 100) {
    for (const player of [ada, eve]) player.input = { x: pick(3) - 1, y: pick(3) - 1, kick: pick(3) === 0 };
    network.run(100);
  }
  const { islands, corrections } = ada.client.stats.prediction;
  assert.ok(islands);
  assert.equal(twin.client.stats.prediction.islands, undefined);
  return { ...islands, corrections };
}

describe("replay by islands", () => {
  it("equals the replay of everything", () => {
    const sum = { partialReplays: 0, fullReplays: 0, steppedRows: 0, sparedRows: 0, sparedTicks: 0, corrections: 0 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (seed) => {
        const figures = play(seed);
        for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += figures[key];
      }),
      { seed: 5, numRuns: 40 },
    );
    if (process.env.ISLAND_FIGURES !== undefined) console.log(sum);
    assert.ok(sum.partialReplays > sum.fullReplays, JSON.stringify(sum));
    assert.ok(sum.sparedRows > sum.steppedRows, JSON.stringify(sum));
    assert.ok(sum.sparedTicks > 0);
  });

  it("does not when a game joins too little", () => {
    let different = 0;
    for (let seed = 0; seed < 8; seed++) {
      try {
        play(seed, -9);
      } catch {
        different++;
      }
    }
    assert.ok(different > 0, "the comparison sees no difference");
  });

  it("is not to be had together with what runs across all rows", () => {
    const { name: _, ...options } = pushGame({
      units: 1,
      sharedRadius: 9,
      windTicks: 0,
      wears: false,
      slack: 0,
    });
    for (const more of [{ spawns: ["balls"] }, { remote: { state: "units" } }])
      assert.throws(() => defineGame({ ...options, prediction: { ...options.prediction, ...more } }), RangeError);
  });
});
