import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Table } from "../test/table.ts";
import { mendEvents } from "./abilities.ts";
import { arenaStatics, spawnPoints } from "./map.ts";
import { Blast, Kill, Scores } from "./messages.ts";
import { clearLine, goals, nextStep, pathBetween } from "./navigation.ts";
import { readProfile, writeProfile } from "./profile.ts";
import {
  DASH_COOLDOWN_TICKS,
  DASH_ENERGY,
  FIELD,
  MAX_ENERGY,
  MEND_CAST_TICKS,
  MEND_CHARGES,
  MEND_EVERY_TICKS,
  MEND_HEALTH,
  MEND_TICKS,
  MOVE_SPEED,
  PLAYER_RADIUS,
} from "./rules.ts";
import { IDLE } from "./states.ts";

describe("arena", () => {
  it("keeps players out of the walls, whatever they do", () => {
    const table = new Table();
    table.sit("Ada");
    let random = 1;
    let wish = IDLE;
    for (let i = 0; i < 200; i++) {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      const bit = (n: number): boolean => ((random >>> n) & 1) === 1;
      wish = { ...IDLE, up: bit(8), down: bit(9), left: bit(10), right: bit(11), dash: bit(12), aim: random % 6 };
      table.play(10, () => wish);
      const { x, y } = table.row(0);
      assert(Math.abs(x) < FIELD - 1 && Math.abs(y) < FIELD - 1);
      // Settling rounds by up to half a step.
      assert(!arenaStatics.overlaps(x, y, PLAYER_RADIUS - 0.01), `inside a wall at ${x}, ${y}`);
    }
  });

  it("predicts walking and dashing without a correction on a clean line", () => {
    const table = new Table();
    const client = table.sit("Ada");
    table.play(60, () => IDLE);
    const before = client.stats.mispredictions;
    table.play(120, () => ({ ...IDLE, right: true, dash: true }));
    assert.equal(client.stats.mispredictions, before);
    table.play(60, () => IDLE);
    const { mine } = client.view.players;
    const row = table.row(0);
    assert(mine !== undefined);
    assert(Math.hypot(mine.x - row.x, mine.y - row.y) < 0.01);
  });

  it("makes a dash cost energy and wait", () => {
    const table = new Table();
    table.sit("Ada");
    table.play(60, () => IDLE);
    table.play(12, () => ({ ...IDLE, dash: true }));
    const row = table.row(0);
    assert(row.energy <= MAX_ENERGY - DASH_ENERGY + 6, `energy ${row.energy}`);
    assert(table.abilities(0).abilities.dash.cooldownTicks > DASH_COOLDOWN_TICKS - 20);
  });

  it("lets nobody dash without the energy for it", () => {
    const table = new Table();
    table.sit("Ada");
    table.play(60, () => IDLE);
    const row = table.row(0);
    row.energy = DASH_ENERGY - 5;
    let fastest = 0;
    for (let tick = 0; tick < 8; tick++) {
      table.play(1, () => ({ ...IDLE, dash: true, right: true }));
      fastest = Math.max(fastest, Math.hypot(row.vx, row.vy));
    }
    assert.equal(table.abilities(0).abilities.dash.cooldownTicks, 0);
    assert.ok(fastest > 2 && fastest <= MOVE_SPEED + 0.1, `${fastest} m/s`);
    assert.ok(row.energy > DASH_ENERGY - 5, "and nothing was paid");
    // It comes back with time, and then a dash is one.
    row.energy = DASH_ENERGY;
    table.play(3, () => ({ ...IDLE, dash: true, right: true }));
    assert.ok(Math.hypot(row.vx, row.vy) > MOVE_SPEED * 2);
  });

  it("mends after a moment without shooting or being shot, for a while, twice", () => {
    const table = new Table();
    const client = table.sit("Ada");
    const heard: string[] = [];
    mendEvents.on(
      client.events,
      ({ kind, name }) => void heard.push(`${kind} ${name}`),
      ({ kind, name }) => void heard.push(`no ${kind} ${name}`),
    );
    const { mispredictions } = client.stats;
    table.play(60, () => IDLE);
    const row = table.row(0);
    Object.assign(row, { health: 40, calmTicks: 0 });
    table.play(3, () => ({ ...IDLE, mend: true }));
    table.play(MEND_CAST_TICKS - 6, () => IDLE);
    assert.equal(table.abilities(0).cast?.ability, "mend");
    assert.equal(row.health, 40);
    table.play(MEND_TICKS + 10, () => IDLE);
    const ticks = MEND_TICKS / MEND_EVERY_TICKS;
    assert.equal(row.health, 40 + ticks * MEND_HEALTH);
    assert.equal(table.abilities(0).abilities.mend.charges, MEND_CHARGES - 1);
    assert.deepEqual(heard, ["castStarted mend", ...Array.from({ length: ticks }, () => "effectTicked mending")]);
    assert.equal(client.stats.mispredictions, mispredictions);
  });

  it("gives a mend back to who shoots instead, and not to who is shot", () => {
    const table = new Table();
    table.sit("Ada");
    table.sit("Grace");
    table.play(120, () => IDLE);
    Object.assign(table.row(0), { x: -5, y: 0 });
    Object.assign(table.row(1), { x: 3, y: 0 });
    const mends = (): number => table.abilities(0).abilities.mend.charges;
    // Inputs are some ticks under way; a cast takes longer.
    const cast = (): void => {
      table.play(4, (seat) => ({ ...IDLE, mend: seat === 0 }));
      table.play(8, () => IDLE);
      assert.equal(table.abilities(0).cast?.ability, "mend");
      assert.equal(mends(), MEND_CHARGES - 1);
    };
    table.play(6, () => IDLE);
    cast();
    table.play(4, (seat) => ({ ...IDLE, fire: seat === 0, aim: Math.PI }));
    table.play(8, () => IDLE);
    assert.equal(table.abilities(0).cast, undefined);
    assert.equal(mends(), MEND_CHARGES);
    cast();
    table.play(4, (seat) => (seat === 1 ? { ...IDLE, fire: true, aim: Math.PI } : IDLE));
    table.play(8, () => IDLE);
    assert.ok(table.row(0).health < 100);
    assert.equal(table.abilities(0).cast, undefined);
    assert.equal(mends(), MEND_CHARGES - 1);
  });

  it("tells where something happens only to those who may see it", () => {
    const table = new Table();
    const clients = ["Ada", "Grace", "Alan"].map((name) => table.sit(name));
    const heard: string[] = [];
    clients.forEach((client, seat) => {
      client.router.onMessage(Kill, () => void heard.push(`${seat} kill`));
      client.events.on(Blast, () => void heard.push(`${seat} blast`));
    });
    table.play(120, () => IDLE);
    Object.assign(table.row(0), { x: -3, y: 0 });
    Object.assign(table.row(1), { x: 3, y: 0, health: 10 });
    // Alan is farther off than a client is told of.
    Object.assign(table.row(2), { x: 40, y: 40 });
    table.play(60, (seat) => (seat === 0 ? { ...IDLE, orb: true } : IDLE));
    assert.deepEqual([...new Set(heard)].toSorted(), ["0 blast", "0 kill", "1 blast", "1 kill", "2 kill"]);
    for (const { fields } of [Kill, Scores])
      for (const [name, field] of Object.entries(fields)) assert.notEqual(field.kind, "float", name);
  });

  it("lets a rifle kill and credits it, to both players", () => {
    const table = new Table();
    const ada = table.sit("Ada");
    const grace = table.sit("Grace");
    const heard: string[] = [];
    for (const client of [ada, grace])
      client.router.onMessage(Kill, (kill) => void heard.push(`${kill.killerName} > ${kill.victimName}`));
    // Long enough for the shields of the start to go.
    table.play(120, () => IDLE);
    Object.assign(table.row(0), { x: -5, y: 0 });
    Object.assign(table.row(1), { x: 3, y: 0 });
    table.play(30, () => IDLE);
    table.play(120, (seat) => (seat === 0 ? { ...IDLE, fire: true } : IDLE));
    assert.deepEqual(heard, ["Ada > Grace", "Ada > Grace"]);
    assert.equal(table.row(0).kills, 1);
    assert.equal(table.row(1).deaths, 1);
    table.play(180, () => IDLE);
    assert.equal(table.row(1).health, 100, "respawned");
    const { mine } = grace.view.players;
    assert(mine !== undefined && Math.hypot(mine.x - table.row(1).x, mine.y - table.row(1).y) < 0.01);
  });

  it("stops a shot at a wall", () => {
    const table = new Table();
    table.sit("Ada");
    table.sit("Grace");
    table.play(120, () => IDLE);
    // The block on the axis is between them.
    Object.assign(table.row(0), { x: 0, y: 13 });
    Object.assign(table.row(1), { x: 0, y: 20 });
    table.play(60, (seat) => (seat === 0 ? { ...IDLE, fire: true, aim: Math.PI / 2 } : IDLE));
    assert.equal(table.row(1).health, 100);
  });

  it("bursts an orb on a player and hurts", () => {
    const table = new Table();
    table.sit("Ada");
    table.sit("Grace");
    table.play(120, () => IDLE);
    Object.assign(table.row(0), { x: -3, y: 0 });
    Object.assign(table.row(1), { x: 3, y: 0 });
    table.play(30, (seat) => (seat === 0 ? { ...IDLE, orb: true } : IDLE));
    assert(table.row(1).health < 100 && table.row(1).health > 0);
    assert.equal(table.row(0).health, 100);
    table.play(60, () => IDLE);
    assert.equal(table.match.world.orbs.count, 0);
  });
});

describe("map and navigation", () => {
  it("has every spawn point in the open, and a way between all of them", () => {
    for (const point of spawnPoints) {
      assert(!arenaStatics.overlaps(point.x, point.y, PLAYER_RADIUS), `spawn ${point.x}, ${point.y}`);
      for (let goal = 0; goal < goals.length; goal++) {
        const at = { x: point.x, y: point.y };
        for (let i = 0; i < 400 && nextStep(at.x, at.y, goal, at); i++);
        assert(Math.hypot(at.x - goals[goal].x, at.y - goals[goal].y) < 2, `no way to goal ${goal}`);
      }
    }
  });

  it("finds paths that walk round walls", () => {
    const from = { x: 0, y: 13 };
    const to = { x: 0, y: 20 };
    assert.equal(clearLine(from.x, from.y, to.x, to.y), false);
    const path = pathBetween(from, to);
    const last = path.at(-1);
    assert(last !== undefined && Math.hypot(last.x - to.x, last.y - to.y) < 2);
    for (const { x, y } of path) assert(!arenaStatics.overlaps(x, y, PLAYER_RADIUS));
  });
});

describe("profile", () => {
  it("survives the journey and any bytes", () => {
    assert.deepEqual(readProfile(writeProfile({ name: "Ada", hue: 99 }), 3), { name: "Ada", hue: 99 });
    assert.deepEqual(readProfile(new Uint8Array(192), 3), { name: "Guest 3", hue: 21 });
    for (let i = 0; i < 500; i++) {
      const bytes = Uint8Array.from({ length: i % 40 }, (_, j) => (j === 0 ? 1 : (i * 37 + j * 101) & 255));
      const { name, hue } = readProfile(bytes, 1);
      assert(name.length > 0 && hue < 180 && new TextEncoder().encode(name).length <= 16);
    }
  });
});
