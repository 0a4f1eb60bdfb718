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
import type { ReceiptDesk } from "../receipts/receipt-desk.ts";
import type { SeenPose } from "../seen-by.ts";
import type { ShotSight } from "../shot-sight.ts";
import type { HitRequest } from "./hit-request.ts";
import type { HitValidation } from "./hit-validation.ts";
import { LiveParty } from "./live-party.ts";
import { ShotJudge } from "./shot-judge.ts";
import type { Shot } from "./shot.ts";
import { ValidationBudget } from "./validation-budget.ts";
import type { VictimRules } from "./victim-rules.ts";
import { WeaponColumns } from "./weapon-columns.ts";
import { MAX_TICK } from "./weapon-fields.ts";
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
  readonly #targets: WorldTable<F>;
  readonly #shooters: WorldTable<Fields>;
  readonly #weapons: ReadonlyMap<string, Weapon<W>>;
  readonly #columns: WeaponColumns;
  readonly #height: Numbers | undefined;
  readonly #party: LiveParty<F>;
  readonly #judge: ShotJudge<F, W>;
  readonly #shot: Shot<W>;
  readonly #from: SeenPose & { z: number } = { x: 0, y: 0, z: 0, angle: 0 };

  /** Throws `TypeError` when the shooters' state lacks fields of the kit, `RangeError` for layers that no target has. */
  constructor(
    kit: WeaponKit<W>,
    targets: WorldTable<F>,
    rules: RegistrationRules<F> = {},
    shooters: WorldTable<Fields> = targets,
  ) {
    this.kit = kit;
    this.#targets = targets;
    this.#shooters = shooters;
    this.#weapons = new Map(kit.weapons.map((weapon) => [weapon.name, weapon]));
    this.#columns = new WeaponColumns(kit.weapons, shooters);
    this.#height = positionAxes(shooters.state, shooters)[2].values;
    const inPlane = positionAxes(targets.state, targets)[2].values === undefined;
    this.#party = new LiveParty(targets, Object.is(targets, shooters), new ValidationBudget(kit), rules);
    this.#judge = new ShotJudge(kit.weapons, this.#party, inPlane);
    this.#shot = createShot(kit.weapons[0], inPlane);
  }

  get rules(): RegistrationRules<F> {
    return this.#party.rules;
  }

  set rules(rules: RegistrationRules<F>) {
    this.#party.rules = rules;
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
    const { tick = world.tick } = request;
    if (!(tick <= world.tick)) throw new RangeError(`tick ${tick} is to come`);
    const sight = this.#targets.seenBy(shooter, weapon.name);
    const { desk, examined } = sight;
    desk?.stats.begin();
    this.#party.begin(shooter, request, world);
    this.#fill(shooter, weapon, request, world);
    const receipts = desk?.receipts;
    const verdict = receipts === undefined ? this.#judge.judge(this.#shot, sight) : this.#judgeOnTape(sight, receipts);
    if (verdict.outcome !== "rejected") this.#columns.pay(shooter.index, weapon, tick);
    const isLate = tick < world.tick;
    if (receipts !== undefined) this.#file(receipts, shooter, request);
    desk?.stats.note(verdict, shooter.owner, isLate, this.#judge.rays, sight.examined - examined);
    return verdict;
  }

  #judgeOnTape(sight: ShotSight<F>, { tape }: ReceiptDesk): HitValidation<F, W> {
    tape.clear();
    sight.record(tape);
    try {
      return this.#judge.judge(this.#shot, sight);
    } finally {
      sight.record(undefined);
    }
  }

  #file(receipts: ReceiptDesk, shooter: RowIdentity, { claim = -1 }: HitRequest<W>): void {
    const { verdict } = this.#judge;
    const explains = this.#party.explainsClaim;
    receipts.file(
      { shot: this.#shot, party: this.#party, verdict, claim, explains, rowOf: this.#rowOf },
      shooter.owner,
    );
  }

  readonly #rowOf = (place: number, id: number): Row<F> | undefined =>
    this.#targets.indexOf(id) === place ? this.#targets.rowAt(place) : undefined;

  #fill(shooter: RowIdentity, weapon: Weapon<W>, request: HitRequest<W>, world: RegistrationWorld): void {
    const shot = this.#shot;
    const { angle, pitch = 0, tick = world.tick, lastAngle = angle, claim = -1 } = request;
    const { lastPitch = pitch } = request;
    const { inPlane } = shot;
    shot.weapon = weapon;
    shot.angle = angle;
    shot.pitch = inPlane ? 0 : pitch;
    shot.lastAngle = lastAngle;
    shot.lastPitch = inPlane ? 0 : lastPitch;
    shot.tick = tick;
    shot.nowTick = world.tick;
    shot.tickMs = world.dt * 1000;
    shot.readyAt = this.#columns.readyAt(shooter.index, weapon);
    shot.rounds = this.#columns.rounds(shooter.index, weapon);
    shot.refusesCutViews = this.kit.cutViews === "reject";
    shot.isClaimed = Number.isInteger(claim) && claim >= 0 && claim <= MAX_TICK;
    shot.isFromKnown = this.#stand(shooter, world, tick);
    const { x, y, z } = this.#from;
    shot.fromX = x;
    shot.fromY = y;
    shot.fromZ = z;
  }

  /** Where the shooter stood at `tick`, into `#from`; false when nobody knows any more. */
  #stand(shooter: RowIdentity, world: RegistrationWorld, tick: number): boolean {
    const from = this.#from;
    const { positionX, positionY } = this.#shooters;
    const { index } = shooter;
    from.x = positionX?.[index] ?? 0;
    from.y = positionY?.[index] ?? 0;
    from.z = this.#height?.[index] ?? 0;
    if (tick === world.tick) return true;
    if (!world.isServer || world.tick - tick > this.kit.maxLateTicks) return false;
    return this.#shooters.seenBy(shooter, this.#shot.weapon.name).stoodAt(shooter, tick, from);
  }

  #weaponOf(name: string): Weapon<W> {
    const weapon = this.#weapons.get(name);
    if (weapon === undefined) throw new RangeError(`there is no weapon "${name}"`);
    return weapon;
  }
}

/** By kit, table of targets and table of shooters. */
const registrations = new WeakMap<object, WeakMap<object, WeakMap<object, unknown>>>();

function createShot<W extends string>(weapon: Weapon<W>, inPlane: boolean): Shot<W> {
  return {
    weapon,
    angle: 0,
    pitch: 0,
    lastAngle: 0,
    lastPitch: 0,
    tick: 0,
    nowTick: 0,
    tickMs: 0,
    fromX: 0,
    fromY: 0,
    fromZ: 0,
    isFromKnown: false,
    readyAt: 0,
    rounds: Infinity,
    refusesCutViews: false,
    isClaimed: false,
    inPlane,
  };
}
