/**
 * What `HitRegistration` does with a shot once everything that the game knows is gathered: whether it takes place, whom it
 * meets, and what of that counts. It keeps nothing from one shot to the next, so that a receipt gives the same verdict.
 */
import type { Fields, Row } from "../../state/index.ts";
import type { Body } from "../body-query.ts";
import type { SeenHit, SeenOptions } from "../seen-by.ts";
import type { ShotSight } from "../shot-sight.ts";
import { createHitRecord, createVerdict, reasonBit, reasonsOf } from "./hit-validation.ts";
import type { HitReason, HitRecord, HitValidation, VerdictRecord } from "./hit-validation.ts";
import { angleBetween, ShotRays } from "./shot-rays.ts";
import type { Shot, ShotParty, ShotTarget } from "./shot.ts";
import type { Weapon } from "./weapon-kit.ts";

/** What the shooter sees of one of the tables that are shot at. */
type Sight = ShotSight<Fields>;
type Options = SeenOptions<Fields>;

export class ShotJudge<W extends string> {
  readonly verdict: VerdictRecord<W>;
  /** Of the shot that was judged last: rays, sweeps and blows against the past. */
  rays = 0;
  readonly #party: ShotParty;
  readonly #targets: readonly ShotTarget[];
  readonly #rays = new ShotRays();
  readonly #records: HitRecord[] = [];
  readonly #lists: HitRecord[][] = [];
  /** What was met in each table: by ray, or the nearest first; and how many of these are in the verdict. */
  readonly #met: (readonly (SeenHit<Fields> | undefined)[])[] = [];
  readonly #single: (SeenHit<Fields> | undefined)[][];
  readonly #taken: number[];
  #count = 0;
  #bits = 0;
  /** How old the news were that the shooter had of its targets. */
  #newsMs = 0;
  #weapon: Weapon<W>;
  readonly #place = { x: 0, y: 0, z: 0, angle: 0 };
  readonly #body = { ax: 0, ay: 0, az: 0, bx: 0, by: 0, bz: 0, radius: 0 };
  readonly #claimed = { isShooter: false, isGone: false, isOwn: false, isFriend: false };
  /** By table and weapon: for its rays, and for the one that looks for a claimed target. */
  readonly #options: readonly ReadonlyMap<string, Options>[];
  readonly #claimOptions: readonly ReadonlyMap<string, Options>[];

  /** `targets`: the tables that are shot at. */
  constructor(weapons: readonly Weapon<W>[], party: ShotParty, targets: readonly ShotTarget[], inPlane: boolean) {
    this.#party = party;
    this.#targets = targets;
    this.#single = targets.map(() => [undefined]);
    this.#taken = targets.map(() => 0);
    this.#weapon = weapons[0];
    this.verdict = createVerdict(this.#weapon.name);
    const isClaimed = (entity: Row<Fields>): boolean => party.isClaimedEntity(entity);
    const options = ({ layers }: Weapon, target: number): Options => ({
      accept: (entity) => this.#accepts(entity, target),
      gone: true,
      inPlane,
      ...(layers && { layers: layersOf(targets, target, layers) }),
    });
    const claimOptions = (weapon: Weapon, target: number): Options => ({
      ...options(weapon, target),
      accept: isClaimed,
      gone: false,
      throughWalls: true,
    });
    const byWeapon = (create: typeof options) =>
      targets.map((_, target) => new Map(weapons.map((weapon) => [weapon.name, create(weapon, target)])));
    this.#options = byWeapon(options);
    this.#claimOptions = byWeapon(claimOptions);
  }

  /** `sights` look for the shooter, at each of the tables. Returns `verdict`. */
  judge(shot: Readonly<Shot<W>>, sights: readonly Sight[]): VerdictRecord<W> {
    const { verdict } = this;
    this.#open(shot, sights[0]);
    this.#bits = this.#reasonsAgainst(shot);
    if (this.#bits !== 0) return this.#close("rejected");
    this.#rays.aim(shot.angle, shot.pitch);
    verdict.dx = this.#rays.dx;
    verdict.dy = this.#rays.dy;
    verdict.dz = this.#rays.dz;
    if (this.#leaveMuzzle(shot, sights)) this.#shoot(shot, sights);
    this.#judgeHits();
    if (shot.isClaimed) this.#compareClaim(shot, sights[shot.claimTarget]);
    return this.#close(verdict.hit === undefined ? "miss" : "hit");
  }

  #open({ weapon, tick, nowTick, tickMs, fromX, fromY, fromZ, inPlane }: Readonly<Shot<W>>, sight: Sight): void {
    const { verdict } = this;
    this.#weapon = weapon;
    this.#count = this.rays = 0;
    verdict.weapon = weapon.name;
    verdict.tick = tick;
    verdict.viewTick = sight.viewTick;
    verdict.rewindMs = sight.viewTick < 0 ? 0 : Math.max(0, (nowTick - sight.viewTick) * tickMs);
    this.#newsMs = sight.newsTick < 0 ? 0 : Math.max(0, (nowTick - sight.newsTick) * tickMs);
    verdict.isViewCut = sight.isViewCut;
    verdict.claim = "none";
    verdict.distance = verdict.seed = 0;
    verdict.x = fromX;
    verdict.y = fromY;
    verdict.z = inPlane ? 0 : fromZ;
    verdict.dx = 1;
    verdict.dy = verdict.dz = 0;
    verdict.hit = undefined;
  }

  #close(outcome: HitValidation["outcome"]): VerdictRecord<W> {
    const { verdict } = this;
    verdict.outcome = outcome;
    verdict.reasons = reasonsOf(this.#bits);
    verdict.hits = this.#lists[this.#count] ??= this.#records.slice(0, this.#count);
    return verdict;
  }

  /** Why the shot does not take place: all reasons. */
  #reasonsAgainst(shot: Readonly<Shot<W>>): number {
    const { maxTurn, roundsPerShot } = shot.weapon;
    const { angle, pitch, lastAngle, lastPitch } = shot;
    let bits = 0;
    if (shot.readyAt > shot.tick) bits |= FIRE_RATE;
    if (shot.rounds < roundsPerShot) bits |= AMMUNITION;
    if (!(maxTurn === Infinity || angleBetween(angle, pitch, lastAngle, lastPitch) <= maxTurn)) bits |= ANGLE;
    if (!shot.isFromKnown) bits |= TOO_LATE;
    if (shot.refusesCutViews && this.verdict.isViewCut) bits |= TIMESTAMP;
    if (bits === 0 && !this.#party.takeBudget()) bits |= BUDGET;
    return bits;
  }

  /** Goes from the shooter's place to the muzzle; false when a wall is between. */
  #leaveMuzzle({ weapon, inPlane }: Readonly<Shot<W>>, sights: readonly Sight[]): boolean {
    const [forward, left, up] = weapon.muzzle;
    if (forward === 0 && left === 0 && up === 0) return true;
    const { verdict } = this;
    const { dx, dy } = verdict;
    const flat = Math.sqrt(dx * dx + dy * dy);
    // Straight up or down there is no forward.
    const cos = flat > 0 ? dx / flat : 1;
    const sin = flat > 0 ? dy / flat : 0;
    const byX = cos * forward - sin * left;
    const byY = sin * forward + cos * left;
    // Along the height of the muzzle: what is at the shooter's feet does not matter.
    if (!inPlane) verdict.z += up;
    const { x, y, z } = verdict;
    const way = Math.sqrt(byX * byX + byY * byY);
    let isFree = true;
    for (let t = 0; t < sights.length; t++)
      if (way > 0 && sights[t].wallAlong(x, y, z, byX / way, byY / way, 0, way, inPlane) < way) isFree = false;
    if (!isFree) this.#bits |= BLOCKED;
    verdict.x = x + byX;
    verdict.y = y + byY;
    return isFree;
  }

  #shoot(shot: Readonly<Shot<W>>, sights: readonly Sight[]): void {
    const { weapon, angle, pitch, inPlane } = shot;
    const { verdict } = this;
    const { x, y, z, dx, dy, dz } = verdict;
    const { range, kind, name, pellets } = weapon;
    this.rays = pellets * sights.length;
    if (kind === "melee") {
      this.#strike(weapon, sights);
      this.#hideBehindWalls(shot, sights);
      verdict.distance = range;
      return;
    }
    if (kind === "pellets" && weapon.pattern === "random") verdict.seed = this.#party.drawSeed();
    const rays = kind === "pellets" ? this.#rays.spread(weapon, angle, pitch, verdict.seed, inPlane) : NO_RAYS;
    for (let t = 0; t < sights.length; t++) {
      const sight = sights[t];
      const options = this.#options[t].get(name);
      const single = this.#single[t];
      if (kind === "sweep") single[0] = sight.performSweep(this.#bodyOf(weapon, 0), dx, dy, dz, range, options);
      else if (kind === "ray") single[0] = sight.performRaycast(x, y, z, dx, dy, dz, range, options);
      this.#met[t] = kind === "pellets" ? sight.performRaycasts(x, y, z, rays, range, options) : single;
    }
    for (let i = 0; i < pellets; i++) this.#noteRay(i, sights);
    verdict.distance = reachOf(0, sights);
  }

  /** Notes everybody whom the weapon touches, the nearest first. */
  #strike(weapon: Weapon, sights: readonly Sight[]): void {
    const met = this.#met;
    const taken = this.#taken;
    for (let t = 0; t < sights.length; t++) {
      taken[t] = 0;
      met[t] = sights[t].performOverlap(this.#bodyOf(weapon, weapon.range), this.#options[t].get(weapon.name));
    }
    for (;;) {
      let nearest: SeenHit<Fields> | undefined;
      let target = -1;
      for (let t = 0; t < sights.length; t++) {
        const next = met[t][taken[t]];
        if (next === undefined || (nearest !== undefined && next.distance >= nearest.distance)) continue;
        nearest = next;
        target = t;
      }
      if (nearest === undefined) return;
      taken[target]++;
      this.#note(nearest, 0, target);
    }
  }

  /** A capsule from the muzzle, so far along. */
  #bodyOf({ radius }: Weapon, length: number): Body {
    const body = this.#body;
    const { x, y, z, dx, dy, dz } = this.verdict;
    body.ax = x;
    body.ay = y;
    body.az = z;
    body.bx = x + dx * length;
    body.by = y + dy * length;
    body.bz = z + dz * length;
    body.radius = radius;
    return body;
  }

  /** Notes what ray `i` met first. Of two at the same distance, the one whose table comes first. */
  #noteRay(i: number, sights: readonly Sight[]): void {
    let nearest: SeenHit<Fields> | undefined;
    let target = -1;
    for (let t = 0; t < sights.length; t++) {
      const hit = this.#met[t][i];
      if (hit === undefined || (nearest !== undefined && hit.distance >= nearest.distance)) continue;
      nearest = hit;
      target = t;
    }
    if (nearest !== undefined) this.#note(nearest, i, target);
    else if (reachOf(i, sights) < this.#weapon.range) this.#bits |= BLOCKED;
  }

  #note(hit: SeenHit<Fields>, pellet: number, target: number): void {
    const record = (this.#records[this.#count++] ??= createHitRecord(hit.entity));
    record.entity = hit.entity;
    record.table = this.#targets[target].name;
    record.target = target;
    record.id = hit.id;
    record.isGone = hit.isGone;
    record.hitbox = hit.hitbox;
    record.multiplier = hit.multiplier;
    record.distance = hit.distance;
    record.x = hit.x;
    record.y = hit.y;
    record.z = hit.z;
    record.pellet = pellet;
    record.reason = record.protection = undefined;
  }

  /** A blow reaches whom it touches, unless a wall is between the shooter and the target's place. */
  #hideBehindWalls({ fromX, fromY, fromZ, inPlane }: Readonly<Shot<W>>, sights: readonly Sight[]): void {
    const { z } = this.verdict;
    const seen = this.#place;
    for (let i = 0; i < this.#count; i++) {
      const record = this.#records[i];
      const sight = sights[record.target];
      if (!sight.stoodWhenSeen(record.entity.index, seen)) continue;
      const byX = seen.x - fromX;
      const byY = seen.y - fromY;
      const byZ = inPlane ? 0 : seen.z - fromZ;
      const way = Math.sqrt(byX * byX + byY * byY + byZ * byZ);
      if (way > 0 && sight.wallAlong(fromX, fromY, z, byX / way, byY / way, byZ / way, way, inPlane) < way)
        record.reason = "blocked";
    }
  }

  /** Which of the hits count. */
  #judgeHits(): void {
    const { verdict } = this;
    for (let i = 0; i < this.#count; i++) {
      const record = this.#records[i];
      record.reason ??= this.#reasonAgainstHit(record, i);
      if (record.reason !== undefined) this.#bits |= reasonBit(record.reason);
      else verdict.hit ??= record;
    }
  }

  #reasonAgainstHit(record: HitRecord, i: number): HitReason | undefined {
    if (record.isGone) return "gone";
    const { entity, id, target } = record;
    const { self, team } = this.#weapon;
    if (self === "stop" && this.#party.isOwn(entity, target)) return "self";
    if (team === "stop" && this.#party.isFriend(entity, target)) return "team";
    // Several pellets in one entity ask once.
    let first = 0;
    while (first < i && (this.#records[first].id !== id || this.#records[first].target !== target)) first++;
    record.protection = first < i ? this.#records[first].protection : this.#party.protection(record, this.#newsMs);
    return record.protection === undefined ? undefined : "protected";
  }

  #accepts(entity: Row<Fields>, target: number): boolean {
    const { self, team } = this.#weapon;
    if (self === "pass" && this.#party.isOwn(entity, target)) return false;
    if (team === "pass" && this.#party.isFriend(entity, target)) return false;
    return this.#party.accepts(entity, target);
  }

  /** What the client said it hit, and why it did not. `sight`: of the claimed table. */
  #compareClaim({ inPlane, claimTarget }: Readonly<Shot<W>>, sight: Sight): void {
    const { verdict } = this;
    const party = this.#party;
    verdict.claim = "differs";
    for (let i = 0; i < this.#count; i++)
      if (this.#records[i].reason === undefined && party.isClaimedHit(this.#records[i])) verdict.claim = "agrees";
    if (verdict.claim === "agrees") return;
    const claimed = this.#claimed;
    party.claimedTarget(claimed);
    const { kind, range, name, self, team } = this.#weapon;
    if (claimed.isShooter) this.#bits |= SELF;
    else if (claimed.isGone) this.#bits |= GONE;
    if (claimed.isShooter || claimed.isGone) return;
    if (claimed.isOwn) this.#bits |= self === "hit" ? 0 : SELF;
    else if (claimed.isFriend) this.#bits |= team === "hit" ? 0 : TEAM;
    if (kind !== "ray" || !party.takeClaimBudget()) return;
    const { x, y, z, dx, dy, dz } = verdict;
    this.rays++;
    const hit = sight.performRaycast(
      x,
      y,
      z,
      dx,
      dy,
      dz,
      range + CLAIM_REACH,
      this.#claimOptions[claimTarget].get(name),
    );
    if (hit === undefined) return;
    const { distance } = hit;
    if (distance > range) this.#bits |= RANGE;
    else if (sight.wallAlong(x, y, z, dx, dy, dz, distance, inPlane) < distance) this.#bits |= BLOCKED;
  }
}

/** How far a ray got in all tables. */
function reachOf(i: number, sights: readonly Sight[]): number {
  let reach = Infinity;
  for (let t = 0; t < sights.length; t++) reach = Math.min(reach, sights[t].reachOf(i));
  return reach;
}

/** Those of a weapon's layers that a table has. The first one has those that none has, too: it refuses them. */
function layersOf(targets: readonly ShotTarget[], target: number, layers: readonly string[]): readonly string[] {
  return layers.filter((layer) => {
    if (targets[target].layers.includes(layer)) return true;
    return target === 0 && !targets.some((other) => other.layers.includes(layer));
  });
}

const NO_RAYS = new Float64Array(0);
const FIRE_RATE = reasonBit("fireRate");
const AMMUNITION = reasonBit("ammunition");
const ANGLE = reasonBit("angle");
const TOO_LATE = reasonBit("tooLate");
const TIMESTAMP = reasonBit("timestamp");
const BUDGET = reasonBit("budget");
const SELF = reasonBit("self");
const TEAM = reasonBit("team");
const GONE = reasonBit("gone");
const BLOCKED = reasonBit("blocked");
const RANGE = reasonBit("range");
/** A claimed target is looked for so much beyond the range, in world units. */
const CLAIM_REACH = 1000;
