/**
 * One player of a game whose clients claim where they are, and the server that judges it: real movement by the
 * reference controller, claims 20 times a second over a bad link, dashes, knockbacks, teleports, a clock that drifts,
 * frames that hitch. Or a cheat. Virtual time; everything comes from the seed.
 */
import { MovementPredictor, MovementValidator, StaticGeometry } from "../../src/index.ts";
import type { BoxShape, CircleShape, ClaimFault, MovementClaim, MovementOptions } from "../../src/index.ts";
import { ClaimLink, numbers } from "./claim-link.ts";
import type { JitterKind } from "./claim-link.ts";

const TICK_MS = 1000 / 60;
const CLAIM_TICKS = 3;
const DT = 1 / 60;
const SLOTS = 256;
/** From then on one who will cheat stands still. */
const READY_TICK = 1000 + 8 * 60;
/** Who cheats while a queue stands is found when it is gone. */
const CHEATS_KINDS: readonly JitterKind[] = ["even", "bunched", "swaying"];
const KINDS: readonly JitterKind[] = [...CHEATS_KINDS, "standing"];
const FIELD = 30;
/** A wall along x, for those who go through it. */
const WALL_Y = 24;

export interface Cheat {
  readonly name: string;
  /** Walking speed. Default 1. */
  readonly speed?: (sec: number) => number;
  /** How fast the client's clock goes. Default 1. */
  readonly clock?: number;
  /** Metres that it jumps ahead, this many times a second. */
  readonly jumps?: readonly [number, number];
  /** Claims are kept for so long, then sent at once. */
  readonly withholdsMs?: number;
  /** Walks through walls. */
  readonly clips?: boolean;
  /** Metres a second upwards; 0: hovers. */
  readonly flies?: number;
  /** Does not go where it is put. */
  readonly disobeys?: boolean;
}

export interface SessionOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly tall: boolean;
  readonly cheat?: Cheat;
  readonly cheatAtSec?: number;
}

export interface SessionResult {
  readonly claims: number;
  readonly accepted: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Seconds from the start of the cheating to the first flag; -1: none. */
  readonly flaggedAfterSec: number;
  /** The same from when the first claim since then came in. */
  readonly flaggedAfterClaimSec: number;
  readonly firstFault: ClaimFault;
  /** Where the session was when a fault came first, for whoever looks into it. */
  readonly firstFaultAtSec: number;
  readonly conditions: string;
}

const plan: MovementOptions = {
  radius: 0.7,
  maxSpeed: 8.5,
  acceleration: 80,
  friction: 55,
  dashSpeed: 27,
  dashTicks: 10,
  dashCooldownTicks: 66,
};
const space: MovementOptions = { ...plan, radius: 0.5, height: 1.8, jumpSpeed: 8, gravity: 20, stepHeight: 0.4 };
const walls = [createMap(false), createMap(true)];
/** Where cheats are tried: room to run, and one thin wall. */
const open = new StaticGeometry({ boxes: [{ x: 0, y: WALL_Y, width: 2000, height: 0.4 }] });
const nowhere = new StaticGeometry();

/** Rooms, posts, thin walls; with heights also stairs, crates and bridges. */
function createMap(tall: boolean): StaticGeometry {
  const random = numbers(77);
  const bottom = -Infinity;
  const boxes: BoxShape[] = [
    { x: 0, y: FIELD, width: 2 * FIELD + 2, height: 1 },
    { x: 0, y: -FIELD, width: 2 * FIELD + 2, height: 1 },
    { x: FIELD, y: 0, width: 1, height: 2 * FIELD + 2 },
    { x: -FIELD, y: 0, width: 1, height: 2 * FIELD + 2 },
  ];
  const circles: CircleShape[] = [];
  for (let i = 0; i < 40; i++) {
    const long = 1 + random() * 6;
    const x = (random() * 2 - 1) * (FIELD - 4);
    const y = (random() * 2 - 1) * (FIELD - 4) * 0.7 - 2;
    if (Math.hypot(x, y) < 6) continue;
    const top = tall && i % 2 === 0 ? 0.3 + random() * 2 : Infinity;
    const isBridge = tall && i % 7 === 0;
    if (isBridge && top <= 2.2) continue;
    boxes.push({
      x,
      y,
      width: i % 2 === 0 ? long : 0.3,
      height: i % 2 === 0 ? 0.5 : long,
      bottom: isBridge ? 2.2 : bottom,
      top,
    });
    if (i % 4 === 0) circles.push({ x: -y, y: x * 0.7 - 4, radius: 0.3 + random(), top });
  }
  if (tall) {
    for (let i = 1; i <= 8; i++) boxes.push({ x: -12 + i * 0.4, y: 0, width: 0.4, height: 5, bottom, top: i * 0.3 });
    boxes.push({ x: -5, y: 0, width: 7.4, height: 5, bottom, top: 2.4 });
  }
  return new StaticGeometry({ boxes, circles: circles.filter(({ y }) => Math.abs(y) < 18) });
}

export function playSession({ seed, seconds, tall, cheat, cheatAtSec = 12 }: SessionOptions): SessionResult {
  const random = numbers(seed);
  const statics = cheat === undefined ? walls[tall ? 1 : 0] : open;
  const rules = tall ? space : plan;
  const kinds = cheat === undefined ? KINDS : CHEATS_KINDS;
  const kind = kinds[Math.floor(random() * kinds.length)];
  const baseMs = 5 + random() * 150;
  const jitterMs = random() < 0.5 ? 200 : random() * 200;
  const lossRate = random() < 0.5 ? 0.15 : random() * 0.15;
  const drift = (random() * 2 - 1) * 200e-6;
  const up = new ClaimLink(random, kind, baseMs, jitterMs, lossRate);
  const down = new ClaimLink(random, "even", baseMs, jitterMs, lossRate);
  const client = new ClaimingClient(rules, statics, random, cheat);
  const validator = new MovementValidator(rules, statics);

  const arrivals: MovementClaim[][] = Array.from({ length: SLOTS }, () => []);
  let claims = 0;
  let flaggedAfterSec = -1;
  let flaggedAfterClaimSec = -1;
  let firstClaimSec = -1;
  let firstFault: ClaimFault = "none";
  let firstFaultAtSec = -1;
  let frozenUntil = 0;
  let catchesUp = true;
  let elapsedMs = 0;
  let kept: MovementClaim[] = [];
  let keptSince = 0;

  client.told.push({
    at: 0,
    placement: validator.place(0, 0, 0, 0),
    x: 0,
    y: 0,
    z: 0,
    knockX: 0,
    knockY: 0,
    knockZ: 0,
  });
  const ticks = Math.round((seconds * 1000) / TICK_MS);
  for (let tick = 1; tick <= ticks; tick++) {
    const now = tick * TICK_MS;
    const sec = now / 1000;
    const cheating = cheat !== undefined && sec >= cheatAtSec;

    // The client's frames.
    if (random() < 0.002 && now > frozenUntil + 2000) {
      frozenUntil = now + 40 + random() * 260;
      // One who lost time has some to make up for: a cheat that is to be caught has not.
      catchesUp = cheat !== undefined || random() < 0.5;
    }
    if (now >= frozenUntil) {
      elapsedMs += TICK_MS * (1 + drift) * (cheating ? (cheat.clock ?? 1) : 1);
      while (elapsedMs >= TICK_MS) {
        elapsedMs -= TICK_MS;
        client.step(now, cheating ? sec - cheatAtSec : -1);
        if (client.tick % CLAIM_TICKS === 0) kept.push(client.claim());
      }
    } else if (catchesUp) elapsedMs += TICK_MS * (1 + drift);
    if (!cheating || cheat.withholdsMs === undefined || now - keptSince >= cheat.withholdsMs) {
      keptSince = now;
      for (const claim of kept) {
        claims++;
        const at = up.send(now);
        if (at >= 0) arrivals[Math.ceil(at / TICK_MS) % SLOTS].push(claim);
      }
      kept = [];
    }

    // The server's tick.
    const slot = arrivals[tick % SLOTS];
    for (const claim of slot) {
      const verdict = validator.validate(claim, tick);
      if (firstClaimSec < 0 && claim.tick >= client.cheatsSinceTick) firstClaimSec = sec;
      if (verdict.fault !== "none" && firstFault === "none") {
        firstFault = verdict.fault;
        firstFaultAtSec = sec;
      }
      const suspects = verdict.outcome === "flag" || verdict.outcome === "disconnect";
      if (suspects && flaggedAfterSec < 0) {
        flaggedAfterSec = sec - client.cheatsSinceSec;
        flaggedAfterClaimSec = sec - firstClaimSec;
      }
      if (!verdict.moved) continue;
      const { placement, x, y, z } = verdict;
      client.told.push({ at: down.sendReliably(now), placement, x, y, z, knockX: 0, knockY: 0, knockZ: 0 });
    }
    slot.length = 0;
    if (flaggedAfterSec >= 0 && cheat !== undefined) break;
    if (cheat !== undefined && tick === Math.round((cheatAtSec - (cheat.flies === 0 ? 0 : 4)) / DT)) {
      // Whoever will cheat starts from a place where there is something to gain.
      const x = cheat.clips === true ? 0 : -100;
      const y = cheat.clips === true ? WALL_Y - 6 : 0;
      const z = cheat.flies === 0 ? 5 : 0;
      const placed = validator.place(tick, x, y, z);
      client.told.push({ at: down.sendReliably(now), placement: placed, x, y, z, knockX: 0, knockY: 0, knockZ: 0 });
    } else if (cheat === undefined && random() < 1 / 600) {
      const turn = random() * 7;
      const speed = 5 + random() * 15;
      const knockZ = tall ? random() * 8 : 0;
      validator.grantKnock(tick, speed, knockZ);
      const at = down.sendReliably(now);
      client.told.push({
        at,
        placement: 0,
        x: 0,
        y: 0,
        z: 0,
        knockX: Math.cos(turn) * speed,
        knockY: Math.sin(turn) * speed,
        knockZ,
      });
    } else if (cheat === undefined && random() < 1 / 1200) {
      const x = (random() - 0.5) * 8;
      const y = (random() - 0.5) * 8;
      const z = tall ? random() * 3 : 0;
      if (statics.overlaps(x, y, 0.8, z, z + 2)) continue;
      const placed = validator.place(tick, x, y, z);
      client.told.push({ at: down.sendReliably(now), placement: placed, x, y, z, knockX: 0, knockY: 0, knockZ: 0 });
    }
  }
  const { accepted, ignored: _, ...faults } = validator.counters;
  const conditions = `seed ${seed} ${tall ? "tall " : ""}${kind} base ${baseMs.toFixed(0)} jitter ${jitterMs.toFixed(0)} loss ${lossRate.toFixed(2)}`;
  return { claims, accepted, faults, flaggedAfterSec, flaggedAfterClaimSec, firstFault, firstFaultAtSec, conditions };
}

/** What the server tells a client: to be somewhere (with a placement), or that it is knocked. */
interface Told {
  readonly at: number;
  readonly placement: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly knockX: number;
  readonly knockY: number;
  readonly knockZ: number;
}

class ClaimingClient {
  tick = 1000;
  /** When it began to cheat; one who hovers, when it came to be in the air. */
  cheatsSinceSec = 0;
  cheatsSinceTick = Infinity;
  readonly told: Told[] = [];
  readonly #mover: MovementPredictor;
  readonly #statics: StaticGeometry;
  readonly #random: () => number;
  readonly #cheat: Cheat | undefined;
  readonly #rules: MovementOptions;
  readonly #body = { x: 0, y: 0, z: 0, vx: 0, vy: 0, vz: 0, dash: 0, dashWait: 0, knockX: 0, knockY: 0, aim: 0 };
  readonly #wish = { moveX: 0, moveY: 0, jump: false, dash: false, aim: 0 };
  readonly #movers = new Map<number, MovementPredictor>();
  #placement = 0;
  #dashTick = -1;
  #cheats = false;
  #sinceJump = 0;

  constructor(rules: MovementOptions, statics: StaticGeometry, random: () => number, cheat: Cheat | undefined) {
    this.#rules = rules;
    this.#mover = new MovementPredictor(rules);
    this.#statics = statics;
    this.#random = random;
    this.#cheat = cheat;
  }

  claim(): MovementClaim {
    const { x, y, z } = this.#body;
    return {
      tick: this.tick,
      placement: this.#placement,
      x: Math.round(x * 256) / 256,
      y: Math.round(y * 256) / 256,
      z: Math.round(z * 256) / 256,
      dashTick: this.#dashTick,
    };
  }

  /** One tick. `cheatSec` is the time since the cheating began, negative before. */
  step(now: number, cheatSec: number): void {
    this.tick++;
    this.#obey(now);
    const body = this.#body;
    const wish = this.#wish;
    if (cheatSec >= 0) {
      const begins = !this.#cheats && (this.#cheat?.flies !== 0 || this.#body.z > 1);
      if (begins) {
        this.cheatsSinceSec = now / 1000;
        this.cheatsSinceTick = this.tick;
      }
      this.#cheats ||= begins;
      this.#cheatStep(cheatSec);
      return;
    }
    if (this.#random() < 0.04) {
      wish.moveX = Math.floor(this.#random() * 3) - 1;
      wish.moveY = Math.floor(this.#random() * 3) - 1;
      wish.aim = this.#random() * 6;
    }
    if (this.#cheat !== undefined && this.tick > READY_TICK) wish.moveX = wish.moveY = 0;
    wish.jump = this.#random() < 0.1;
    wish.dash = this.#random() < 0.02 && (this.#cheat === undefined || this.tick < READY_TICK);
    const waited = body.dashWait;
    this.#mover.step(body, wish, DT, this.#statics);
    if (body.dashWait > waited) this.#dashTick = this.tick;
  }

  #obey(now: number): void {
    for (let i = 0; i < this.told.length;) {
      const { at, placement, x, y, z, knockX, knockY, knockZ } = this.told[i];
      if (at > now) {
        i++;
        continue;
      }
      this.told.splice(i, 1);
      const body = this.#body;
      if (placement === 0) {
        body.knockX += knockX;
        body.knockY += knockY;
        body.vz += knockZ;
      } else if (placement > this.#placement && !(this.#cheats && this.#cheat?.disobeys === true)) {
        this.#placement = placement;
        Object.assign(body, { x, y, z, vx: 0, vy: 0, vz: 0, dash: 0, knockX: 0, knockY: 0 });
      }
    }
  }

  /** Runs along x, or into the wall, with what the cheat adds. */
  #cheatStep(sec: number): void {
    const cheat = this.#cheat;
    const body = this.#body;
    const wish = this.#wish;
    if (cheat === undefined) return;
    wish.moveX = cheat.clips === true ? 0 : 1;
    wish.moveY = cheat.clips === true ? 1 : 0;
    wish.jump = wish.dash = false;
    const { z } = body;
    this.#moverAt(cheat.speed?.(sec) ?? 1).step(body, wish, DT, cheat.clips === true ? nowhere : this.#statics);
    if (cheat.jumps !== undefined) {
      const [metres, perSec] = cheat.jumps;
      this.#sinceJump += DT * perSec;
      if (this.#sinceJump >= 1) {
        this.#sinceJump -= 1;
        body.x += metres;
      }
    }
    if (cheat.flies !== undefined) {
      body.z = z + cheat.flies * DT;
      body.vz = 0;
    }
  }

  #moverAt(speed: number): MovementPredictor {
    let mover = this.#movers.get(speed);
    if (mover === undefined) {
      mover = new MovementPredictor({ ...this.#rules, maxSpeed: (this.#rules.maxSpeed ?? 1) * speed });
      this.#movers.set(speed, mover);
    }
    return mover;
  }
}
