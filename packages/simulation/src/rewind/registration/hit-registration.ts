/**
 * Judges shots, by one rule on the server, whose word counts, and in prediction, where it is a guess. The shot starts from
 * where this side has the shooter at the tick of its input; the targets stand where the shooter saw them (`seenBy`). What a
 * weapon keeps of the shooter is in the shooter's own fields; what is kept here are reused results.
 *
 * A shot is first allowed or not, at the price of a few comparisons; only then is anything looked at in the past. On a client
 * neither budgets nor victims' rules are known, and nobody counts.
 */
import type { WorldTable } from "../../game/world-table.ts";
import type { TickRandom } from "../../game/random.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import { positionAxes } from "../position-axes.ts";
import type { Numbers } from "../position-axes.ts";
import type { SeenHit, SeenOptions, SeenPose } from "../seen-by.ts";
import type { ShotSight } from "../shot-sight.ts";
import type { HitRequest } from "./hit-request.ts";
import { createHitRecord, createVerdict, reasonBit, reasonsOf } from "./hit-validation.ts";
import type { HitReason, HitRecord, HitValidation, VerdictRecord } from "./hit-validation.ts";
import { angleBetween, ShotRays } from "./shot-rays.ts";
import { ValidationBudget } from "./validation-budget.ts";
import type { VictimRules } from "./victim-rules.ts";
import { WeaponColumns } from "./weapon-columns.ts";
import type { Weapon, WeaponKit } from "./weapon-kit.ts";

/** What is needed of a world; a game's `World` is one. */
export interface RegistrationWorld {
  readonly tick: number;
  readonly isServer: boolean;
  readonly dt: number;
  randomOf(row: RowIdentity, tick?: number): TickRandom;
}

/** What the game knows of those who may be hit. Give the same object every time. */
export interface RegistrationRules<F extends Fields = Fields> {
  /** Who may be met at all: shots go through the others (the dead). Default everybody. */
  accept?(this: void, entity: Row<F>): boolean;
  /** Those with the same team are friends, also of a shooter of the same state. `undefined`: of nobody. */
  teamOf?(this: void, entity: Row<F>): number | string | undefined;
  /** Server: who is protected just now. */
  readonly victims?: VictimRules<F>;
}

export class HitRegistration<F extends Fields = Fields, W extends string = string> {
  readonly kit: WeaponKit<W>;
  rules: RegistrationRules<F>;
  readonly #targets: WorldTable<F>;
  readonly #shooters: WorldTable<Fields>;
  readonly #isSameTable: boolean;
  readonly #weapons: ReadonlyMap<string, Weapon<W>>;
  readonly #columns: WeaponColumns;
  readonly #height: Numbers | undefined;
  readonly #inPlane: boolean;
  readonly #budget: ValidationBudget;
  readonly #rays = new ShotRays();
  readonly #verdict: VerdictRecord<F, W>;
  readonly #records: HitRecord<F>[] = [];
  readonly #lists: HitRecord<F>[][] = [];
  #count = 0;
  #bits = 0;
  /** Of the shot at hand: rays against the past, and what had been examined before. */
  #rayCount = 0;
  #examined = 0;
  /** Of the shot at hand. */
  #weapon: Weapon<W>;
  #shooter: RowIdentity | undefined;
  #claim = -1;
  readonly #from: SeenPose & { z: number } = { x: 0, y: 0, z: 0, angle: 0 };
  readonly #place: SeenPose & { z: number } = { x: 0, y: 0, z: 0, angle: 0 };
  readonly #body = { ax: 0, ay: 0, az: 0, bx: 0, by: 0, bz: 0, radius: 0 };
  readonly #options: ReadonlyMap<string, SeenOptions<F>>;
  readonly #claimOptions: ReadonlyMap<string, SeenOptions<F>>;

  /** Throws `TypeError` when the shooters' state lacks fields of the kit, `RangeError` for layers that no target has. */
  constructor(
    kit: WeaponKit<W>,
    targets: WorldTable<F>,
    rules: RegistrationRules<F> = {},
    shooters: WorldTable<Fields> = targets,
  ) {
    this.kit = kit;
    this.rules = rules;
    this.#targets = targets;
    this.#shooters = shooters;
    this.#isSameTable = Object.is(targets, shooters);
    this.#weapon = kit.weapons[0];
    this.#verdict = createVerdict(this.#weapon.name);
    this.#weapons = new Map(kit.weapons.map((weapon) => [weapon.name, weapon]));
    this.#columns = new WeaponColumns(kit.weapons, shooters);
    this.#height = positionAxes(shooters.state, shooters)[2].values;
    this.#inPlane = positionAxes(targets.state, targets)[2].values === undefined;
    this.#budget = new ValidationBudget(kit);
    const inPlane = this.#inPlane;
    const accept = (entity: Row<F>): boolean => this.#accepts(entity);
    const options = ({ layers }: Weapon): SeenOptions<F> => ({
      accept,
      gone: true,
      inPlane,
      ...(layers && { layers }),
    });
    this.#options = new Map(kit.weapons.map((weapon) => [weapon.name, options(weapon)]));
    const isClaimed = (entity: Row<F>): boolean => entity.id === this.#claim;
    this.#claimOptions = new Map(
      kit.weapons.map((weapon) => [
        weapon.name,
        { ...options(weapon), accept: isClaimed, gone: false, throughWalls: true },
      ]),
    );
  }

  /**
   * The one that judges shots at the entities of a table, the same every time. `rules` may be another object than last time.
   * `shooters`: the table of those who shoot, where that is not the same.
   */
  static of<F extends Fields, W extends string>(
    kit: WeaponKit<W>,
    targets: WorldTable<F>,
    rules?: RegistrationRules<F>,
    shooters: WorldTable<Fields> = targets,
  ): HitRegistration<F, W> {
    let byTarget = registrations.get(kit);
    if (byTarget === undefined) registrations.set(kit, (byTarget = new WeakMap()));
    let byShooter = byTarget.get(targets);
    if (byShooter === undefined) byTarget.set(targets, (byShooter = new WeakMap()));
    let registration = byShooter.get(shooters) as HitRegistration<F, W> | undefined;
    if (registration === undefined)
      byShooter.set(shooters, (registration = new HitRegistration(kit, targets, rules, shooters)));
    if (rules !== undefined) registration.rules = rules;
    return registration;
  }

  /** Full magazines, and no weapon waits: for a fresh start. Fields named by `ammunition` are the game's own. */
  reset(shooter: RowIdentity): void {
    for (const weapon of this.kit.weapons) this.#columns.reset(shooter.index, weapon);
  }

  /** Fills the magazine, where the weapon has one. */
  reload(shooter: RowIdentity, weapon: W): void {
    this.#columns.reload(shooter.index, this.#weaponOf(weapon));
  }

  /**
   * Judges a shot of `shooter`, a row of the world, and, if it takes place, takes the round and the time that it costs. The
   * verdict is reused: it is valid until the next one. Throws `RangeError` for a weapon that there is not, and for a tick to
   * come.
   */
  judge(shooter: RowIdentity, request: HitRequest<W>, world: RegistrationWorld): HitValidation<F, W> {
    const weapon = this.#weaponOf(request.weapon);
    const { tick = world.tick, angle, pitch = 0, claim = -1 } = request;
    if (!(tick <= world.tick)) throw new RangeError(`tick ${tick} is to come`);
    this.#weapon = weapon;
    this.#shooter = shooter;
    this.#claim = claim;
    const sight = this.#targets.seenBy(shooter, weapon.name);
    const { desk } = sight;
    desk?.stats.begin();
    this.#open(request, sight, world, tick);
    const elevation = this.#inPlane ? 0 : pitch;
    this.#bits = this.#reasonsAgainst(shooter, request, sight, world, tick, elevation);
    const verdict = this.#verdict;
    if (this.#bits !== 0) return this.#close("rejected", shooter, sight, world);
    this.#columns.pay(shooter.index, weapon, tick);
    this.#rays.aim(angle, elevation);
    verdict.dx = this.#rays.dx;
    verdict.dy = this.#rays.dy;
    verdict.dz = this.#rays.dz;
    if (this.#leaveMuzzle(sight)) this.#shoot(shooter, request, sight, world, tick, elevation);
    this.#judgeHits(shooter, world.isServer);
    if (claim >= 0) this.#compareClaim(shooter, sight, world);
    return this.#close(verdict.hit === undefined ? "miss" : "hit", shooter, sight, world);
  }

  #open(request: HitRequest<W>, sight: ShotSight<F>, world: RegistrationWorld, tick: number): void {
    const verdict = this.#verdict;
    verdict.weapon = request.weapon;
    verdict.tick = tick;
    verdict.viewTick = sight.viewTick;
    verdict.rewindMs = sight.viewTick < 0 ? 0 : Math.max(0, (world.tick - sight.viewTick) * world.dt * 1000);
    verdict.isViewCut = sight.isViewCut;
    verdict.claim = "none";
    verdict.distance = verdict.seed = 0;
    verdict.dx = 1;
    verdict.dy = verdict.dz = 0;
    verdict.hit = undefined;
    this.#count = this.#rayCount = 0;
    this.#examined = sight.examined;
  }

  #close(
    outcome: HitValidation["outcome"],
    shooter: RowIdentity,
    sight: ShotSight<F>,
    world: RegistrationWorld,
  ): HitValidation<F, W> {
    const verdict = this.#verdict;
    verdict.outcome = outcome;
    verdict.reasons = reasonsOf(this.#bits);
    verdict.hits = this.#lists[this.#count] ??= this.#records.slice(0, this.#count);
    const isLate = verdict.tick < world.tick;
    sight.desk?.stats.note(verdict, shooter.owner, isLate, this.#rayCount, sight.examined - this.#examined);
    return verdict;
  }

  /** Why the shot does not take place: all reasons. Also finds out where the shooter stands. */
  #reasonsAgainst(
    shooter: RowIdentity,
    request: HitRequest<W>,
    sight: ShotSight<F>,
    world: RegistrationWorld,
    tick: number,
    pitch: number,
  ): number {
    const { maxTurn } = this.#weapon;
    const { angle, lastAngle = angle, lastPitch = pitch } = request;
    let bits = this.#columns.reasonsAgainst(shooter.index, this.#weapon, tick);
    if (!(maxTurn === Infinity || angleBetween(angle, pitch, lastAngle, this.#inPlane ? 0 : lastPitch) <= maxTurn))
      bits |= ANGLE;
    if (!this.#stand(shooter, world, tick)) bits |= TOO_LATE;
    if (this.kit.cutViews === "reject" && sight.isViewCut) bits |= TIMESTAMP;
    if (bits === 0 && world.isServer && !this.#budget.take(shooter.owner, world.tick)) bits |= BUDGET;
    return bits;
  }

  /** Where the shooter stood at `tick`, into the verdict and `#from`; false when nobody knows any more. */
  #stand(shooter: RowIdentity, world: RegistrationWorld, tick: number): boolean {
    const from = this.#from;
    const { positionX, positionY } = this.#shooters;
    const { index } = shooter;
    from.x = positionX?.[index] ?? 0;
    from.y = positionY?.[index] ?? 0;
    from.z = this.#height?.[index] ?? 0;
    const isKnown =
      tick === world.tick ||
      (world.isServer &&
        world.tick - tick <= this.kit.maxLateTicks &&
        this.#shooters.seenBy(shooter, this.#weapon.name).stoodAt(shooter, tick, from));
    const verdict = this.#verdict;
    verdict.x = from.x;
    verdict.y = from.y;
    verdict.z = this.#inPlane ? 0 : from.z;
    return isKnown;
  }

  /** Goes from the shooter's place to the muzzle; false when a wall is between. */
  #leaveMuzzle(sight: ShotSight<F>): boolean {
    const [forward, left, up] = this.#weapon.muzzle;
    if (forward === 0 && left === 0 && up === 0) return true;
    const verdict = this.#verdict;
    const { dx, dy } = verdict;
    const flat = Math.sqrt(dx * dx + dy * dy);
    // Straight up or down there is no forward.
    const cos = flat > 0 ? dx / flat : 1;
    const sin = flat > 0 ? dy / flat : 0;
    const rise = this.#inPlane ? 0 : up;
    const byX = cos * forward - sin * left;
    const byY = sin * forward + cos * left;
    // From the height of the muzzle: nobody's feet count.
    verdict.z += rise;
    const way = Math.sqrt(byX * byX + byY * byY);
    const isFree =
      way === 0 ||
      !(sight.wallAlong(verdict.x, verdict.y, verdict.z, byX / way, byY / way, 0, way, this.#inPlane) < way);
    if (!isFree) this.#bits |= BLOCKED;
    verdict.x += byX;
    verdict.y += byY;
    return isFree;
  }

  #shoot(
    shooter: RowIdentity,
    request: HitRequest<W>,
    sight: ShotSight<F>,
    world: RegistrationWorld,
    tick: number,
    pitch: number,
  ): void {
    const weapon = this.#weapon;
    const verdict = this.#verdict;
    const { x, y, z, dx, dy, dz } = verdict;
    const { range, name } = weapon;
    const options = this.#options.get(name);
    this.#rayCount += weapon.pellets;
    if (weapon.kind === "melee") {
      this.#setBody(range);
      const met = sight.performOverlap(this.#body, options);
      for (let i = 0; i < met.length; i++) this.#note(met[i], 0);
      this.#hideBehindWalls(sight);
      verdict.distance = range;
    } else if (weapon.kind === "pellets") {
      if (weapon.pattern === "random") verdict.seed = request.seed ?? world.randomOf(shooter, tick).bits();
      const rays = this.#rays.spread(weapon, request.angle, pitch, verdict.seed, this.#inPlane);
      const met = sight.performRaycasts(x, y, z, rays, range, options);
      for (let i = 0; i < met.length; i++) {
        const hit = met[i];
        if (hit !== undefined) this.#note(hit, i);
        else if (sight.reachOf(i) < range) this.#bits |= BLOCKED;
      }
      verdict.distance = sight.reachOf(0);
    } else {
      if (weapon.kind === "sweep") this.#setBody(0);
      const hit =
        weapon.kind === "sweep"
          ? sight.performSweep(this.#body, dx, dy, dz, range, options)
          : sight.performRaycast(x, y, z, dx, dy, dz, range, options);
      if (hit !== undefined) this.#note(hit, 0);
      else if (sight.reachOf(0) < range) this.#bits |= BLOCKED;
      verdict.distance = hit === undefined ? sight.reachOf(0) : hit.distance;
    }
  }

  /** A capsule from the muzzle, so far along. */
  #setBody(length: number): void {
    const body = this.#body;
    const { x, y, z, dx, dy, dz } = this.#verdict;
    body.ax = x;
    body.ay = y;
    body.az = z;
    body.bx = x + dx * length;
    body.by = y + dy * length;
    body.bz = z + dz * length;
    body.radius = this.#weapon.radius;
  }

  #note(hit: SeenHit<F>, pellet: number): void {
    const record = (this.#records[this.#count++] ??= createHitRecord(hit.entity));
    record.entity = hit.entity;
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
  #hideBehindWalls(sight: ShotSight<F>): void {
    const from = this.#from;
    const { z } = this.#verdict;
    const seen = this.#place;
    for (let i = 0; i < this.#count; i++) {
      const record = this.#records[i];
      if (!sight.stoodWhenSeen(record.entity.index, seen)) continue;
      const byX = seen.x - from.x;
      const byY = seen.y - from.y;
      const byZ = this.#inPlane ? 0 : seen.z - from.z;
      const way = Math.sqrt(byX * byX + byY * byY + byZ * byZ);
      if (way > 0 && sight.wallAlong(from.x, from.y, z, byX / way, byY / way, byZ / way, way, this.#inPlane) < way)
        record.reason = "blocked";
    }
  }

  /** Which of the hits count. */
  #judgeHits(shooter: RowIdentity, isServer: boolean): void {
    const verdict = this.#verdict;
    for (let i = 0; i < this.#count; i++) {
      const record = this.#records[i];
      record.reason ??= this.#reasonAgainstHit(shooter, record, i, isServer);
      if (record.reason !== undefined) this.#bits |= reasonBit(record.reason);
      else verdict.hit ??= record;
    }
  }

  #reasonAgainstHit(shooter: RowIdentity, record: HitRecord<F>, i: number, isServer: boolean): HitReason | undefined {
    if (record.isGone) return "gone";
    const { entity } = record;
    if (this.#weapon.self === "stop" && isOwn(shooter, entity)) return "self";
    if (this.#weapon.team === "stop" && this.#isFriend(shooter, entity)) return "team";
    const { victims } = this.rules;
    if (victims === undefined || !isServer) return undefined;
    // Several pellets in one entity ask once.
    const same = this.#records.findIndex((other, j) => j < i && other.id === record.id);
    record.protection =
      same >= 0
        ? this.#records[same].protection
        : victims.protects(entity.index, record, shooter, this.#verdict.rewindMs, this.#weapon.name);
    return record.protection === undefined ? undefined : "protected";
  }

  #accepts(entity: Row<F>): boolean {
    const { self, team } = this.#weapon;
    const shooter = this.#shooter;
    if (shooter === undefined) return false;
    if (self === "pass" && isOwn(shooter, entity)) return false;
    if (team === "pass" && this.#isFriend(shooter, entity)) return false;
    return this.rules.accept?.(entity) ?? true;
  }

  #isFriend(shooter: RowIdentity, entity: Row<F>): boolean {
    const { teamOf } = this.rules;
    if (teamOf === undefined || !this.#isSameTable || isOwn(shooter, entity)) return false;
    const team = teamOf(entity);
    return team !== undefined && team === teamOf(this.#targets.rowAt(shooter.index));
  }

  /** What the client said it hit, and why it did not. */
  #compareClaim(shooter: RowIdentity, sight: ShotSight<F>, world: RegistrationWorld): void {
    const verdict = this.#verdict;
    const claim = this.#claim;
    verdict.claim = "differs";
    for (let i = 0; i < this.#count; i++)
      if (this.#records[i].id === claim && this.#records[i].reason === undefined) verdict.claim = "agrees";
    if (verdict.claim === "agrees") return;
    const table = this.#targets;
    if (this.#isSameTable && claim === shooter.id) {
      this.#bits |= SELF;
      return;
    }
    const place = table.indexOf(claim);
    if (place < 0) {
      this.#bits |= GONE;
      return;
    }
    const entity = table.rowAt(place);
    if (isOwn(shooter, entity)) this.#bits |= this.#weapon.self === "hit" ? 0 : SELF;
    else if (this.#isFriend(shooter, entity)) this.#bits |= this.#weapon.team === "hit" ? 0 : TEAM;
    if (this.#weapon.kind !== "ray" || !world.isServer || !this.#budget.take(shooter.owner, world.tick)) return;
    const { x, y, z, dx, dy, dz } = verdict;
    const { range, name } = this.#weapon;
    this.#rayCount++;
    const hit = sight.performRaycast(x, y, z, dx, dy, dz, range + CLAIM_REACH, this.#claimOptions.get(name));
    if (hit === undefined) return;
    if (hit.distance > range) this.#bits |= RANGE;
    else if (sight.wallAlong(x, y, z, dx, dy, dz, hit.distance, this.#inPlane) < hit.distance) this.#bits |= BLOCKED;
  }

  #weaponOf(name: string): Weapon<W> {
    const weapon = this.#weapons.get(name);
    if (weapon === undefined) throw new RangeError(`there is no weapon "${name}"`);
    return weapon;
  }
}

/** By kit, table of targets and table of shooters. */
const registrations = new WeakMap<object, WeakMap<object, WeakMap<object, unknown>>>();

function isOwn(shooter: RowIdentity, entity: RowIdentity): boolean {
  return shooter.owner >= 0 && shooter.owner === entity.owner;
}

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
