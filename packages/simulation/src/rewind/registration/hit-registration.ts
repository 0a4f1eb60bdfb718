/**
 * Judges shots, by one rule on the server, whose word counts, and in prediction, where it is a guess. The shot starts from
 * where this side has the shooter at the tick of its input; the targets stand where the shooter saw them (`seenBy`). What a
 * weapon keeps of the shooter is in the shooter's own fields; what is kept here are reused results.
 *
 * A shot is first allowed or not, at the price of a few comparisons; only then is anything looked at in the past. On a client
 * neither budgets nor victims' rules are known, and nobody counts.
 */
import type { WorldTable } from "../../game/world-table.ts";
import type { AnyWorldTable } from "../../game/world.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import { positionAxes } from "../position-axes.ts";
import type { Numbers } from "../position-axes.ts";
import { hitboxesOf } from "../pose-reader.ts";
import type { ReceiptDesk } from "../receipts/receipt-desk.ts";
import type { SeenPose } from "../seen-by.ts";
import type { ShotSight } from "../shot-sight.ts";
import type { HitRequest } from "./hit-request.ts";
import type { HitValidation, RegisteredHit, VerdictRecord } from "./hit-validation.ts";
import { LiveParty } from "./live-party.ts";
import type { HitAmong, RegistrationRules, RegistrationWorld, RulesByTable } from "./registration-rules.ts";
import { ShotJudge } from "./shot-judge.ts";
import type { Shot } from "./shot.ts";
import { ValidationBudget } from "./validation-budget.ts";
import { WeaponColumns } from "./weapon-columns.ts";
import { MAX_TICK } from "./weapon-fields.ts";
import type { Weapon, WeaponKit } from "./weapon-kit.ts";

/** `H`: what its shots may meet. */
export class HitRegistration<
  F extends Fields = Fields,
  W extends string = string,
  H extends RegisteredHit = RegisteredHit<F>,
> {
  readonly kit: WeaponKit<W>;
  readonly #targets: readonly AnyWorldTable[];
  readonly #shooters: AnyWorldTable;
  readonly #weapons: ReadonlyMap<string, Weapon<W>>;
  readonly #columns: WeaponColumns;
  readonly #height: Numbers | undefined;
  readonly #party: LiveParty;
  readonly #judge: ShotJudge<W>;
  readonly #shot: Shot<W>;
  readonly #sights: ShotSight<Fields>[] = [];
  /** As they were given last, and whether that was by the tables' names. */
  #rules: RegistrationRules | RulesByTable = NO_RULES;
  #isByTable = false;
  readonly #from: SeenPose & { z: number } = { x: 0, y: 0, z: 0, angle: 0 };

  /**
   * For shots at several tables use `of`, which infers their types. Throws `TypeError` when the shooters' state lacks fields of
   * the kit, and for tables of which one has heights and another has none, or that are not different ones of one world.
   */
  constructor(
    kit: WeaponKit<W>,
    targets: WorldTable<F> | readonly AnyWorldTable[],
    rules: RegistrationRules<F> | RulesByTable = {},
    shooters: AnyWorldTable = firstOf(targets),
  ) {
    this.kit = kit;
    this.#targets = isList(targets) ? [...targets] : [targets];
    this.#shooters = shooters;
    this.#weapons = new Map(kit.weapons.map((weapon) => [weapon.name, weapon]));
    this.#columns = new WeaponColumns(kit.weapons, shooters);
    this.#height = heightsOf(shooters);
    const names = new Set(this.#targets.map(({ name }) => name));
    if (names.size < this.#targets.length) throw new TypeError("shots are at different tables of one world");
    const inPlane = heightsOf(this.#targets[0]) === undefined;
    if (this.#targets.some((table) => (heightsOf(table) === undefined) !== inPlane))
      throw new TypeError(`of ${[...names].join(", ")} some have heights and some have none`);
    this.#party = new LiveParty(this.#targets, shooters, new ValidationBudget(kit));
    this.#setRules(targets, rules);
    const layered = this.#targets.map(({ name, state }) => ({ name, layers: hitboxesOf(state).layerNames }));
    this.#judge = new ShotJudge(kit.weapons, this.#party, layered, inPlane);
    this.#shot = createShot(kit.weapons[0], inPlane);
  }

  /**
   * The one that judges shots at the entities of a table, the same every time. `rules` may be another object than last time.
   * `shooters`: the table of those who shoot, where that is not the same.
   */
  static of<F extends Fields, W extends string, N extends string>(
    kit: WeaponKit<W>,
    targets: WorldTable<F, N>,
    rules?: RegistrationRules<F>,
    shooters?: AnyWorldTable,
  ): HitRegistration<F, W, RegisteredHit<F, N>>;
  /**
   * Of shots that may meet the entities of several tables of one world: the nearest of all. `rules` are by the tables' names.
   * `shooters`: default the first table.
   */
  static of<W extends string, T extends AnyWorldTable, S extends AnyWorldTable = T>(
    kit: WeaponKit<W>,
    targets: readonly T[],
    rules?: RulesByTable<T | S>,
    shooters?: S,
  ): HitRegistration<Fields, W, HitAmong<T>>;
  static of<W extends string>(
    kit: WeaponKit<W>,
    targets: AnyWorldTable | readonly AnyWorldTable[],
    rules?: RegistrationRules | RulesByTable,
    shooters: AnyWorldTable = firstOf(targets),
  ): HitRegistration<Fields, W> {
    let byTarget = registrations.get(kit);
    if (byTarget === undefined) registrations.set(kit, (byTarget = new WeakMap()));
    const first = firstOf(targets);
    let known = byTarget.get(first);
    if (known === undefined) byTarget.set(first, (known = []));
    for (let i = 0; i < known.length; i++) {
      if (!known[i].#isFor(targets, shooters)) continue;
      if (rules !== undefined) known[i].#setRules(targets, rules);
      return known[i] as HitRegistration<Fields, W>;
    }
    const registration = new HitRegistration(kit, targets, rules, shooters);
    known.push(registration);
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
   * verdict is reused: it is valid until the next one. Throws `RangeError` for a weapon or claimed table that there is not, for
   * a weapon's layers that no target has, and for a tick to come.
   */
  judge(shooter: RowIdentity, request: HitRequest<W, H["table"]>, world: RegistrationWorld): HitValidation<F, W, H> {
    const weapon = this.#weaponOf(request.weapon);
    const { tick = world.tick } = request;
    if (!(tick <= world.tick)) throw new RangeError(`tick ${tick} is to come`);
    const sights = this.#sights;
    let examined = 0;
    for (let t = 0; t < this.#targets.length; t++) {
      sights[t] = this.#targets[t].seenBy(shooter, weapon.name);
      examined -= sights[t].examined;
    }
    const { desk } = sights[0];
    desk?.stats.begin();
    this.#fill(shooter, weapon, request, world);
    this.#party.begin(shooter, request, this.#shot.claimTarget, world);
    const receipts = desk?.receipts;
    const verdict = receipts === undefined ? this.#judge.judge(this.#shot, sights) : this.#judgeOnTape(receipts);
    if (verdict.outcome !== "rejected") this.#columns.pay(shooter.index, weapon, tick);
    const isLate = tick < world.tick;
    if (receipts !== undefined) this.#file(receipts, shooter, request);
    for (let t = 0; t < sights.length; t++) examined += sights[t].examined;
    desk?.stats.note(verdict, shooter.owner, isLate, this.#judge.rays, examined);
    // The rows and names in it are those of the tables that it was made for.
    return verdict as HitValidation<Fields, W, RegisteredHit> as HitValidation<F, W, H>;
  }

  #judgeOnTape({ tape }: ReceiptDesk): VerdictRecord<W> {
    const sights = this.#sights;
    tape.clear();
    for (let t = 0; t < sights.length; t++) sights[t].record(tape);
    sights[0].recordBlockers(tape);
    try {
      return this.#judge.judge(this.#shot, sights);
    } finally {
      for (let t = 0; t < sights.length; t++) sights[t].record(undefined);
      sights[0].recordBlockers(undefined);
    }
  }

  #file(receipts: ReceiptDesk, shooter: RowIdentity, { claim = -1 }: HitRequest<W, string>): void {
    const { verdict } = this.#judge;
    const explains = this.#party.explainsClaim;
    receipts.file(
      {
        shot: this.#shot,
        party: this.#party,
        verdict,
        claim,
        explains,
        targets: this.#targets.length,
        rowOf: this.#rowOf,
      },
      shooter.owner,
    );
  }

  readonly #rowOf = (target: number, place: number, id: number): Row<Fields> | undefined => {
    const table = this.#targets[target];
    return table.indexOf(id) === place ? table.rowAt(place) : undefined;
  };

  #isFor(targets: AnyWorldTable | readonly AnyWorldTable[], shooters: AnyWorldTable): boolean {
    const own = this.#targets;
    if (!Object.is(shooters, this.#shooters) || (isList(targets) ? targets.length : 1) !== own.length) return false;
    for (let t = 1; t < own.length; t++) if (!isList(targets) || !Object.is(targets[t], own[t])) return false;
    return true;
  }

  #setRules(targets: AnyWorldTable | readonly AnyWorldTable[], rules: RegistrationRules | RulesByTable): void {
    const isByTable = isList(targets);
    if (Object.is(rules, this.#rules) && isByTable === this.#isByTable) return;
    this.#rules = rules;
    this.#isByTable = isByTable;
    const own = this.#targets;
    const party = this.#party;
    for (let t = 0; t < own.length; t++) party.rules[t] = this.#rulesOf(own[t]) ?? NO_RULES;
    party.rulesOfShooter = this.#rulesOf(this.#shooters) ?? NO_RULES;
  }

  #rulesOf(table: AnyWorldTable): RegistrationRules | undefined {
    if (this.#isByTable) return (this.#rules as RulesByTable)[table.name];
    return Object.is(table, this.#targets[0]) ? this.#rules : undefined;
  }

  #fill(shooter: RowIdentity, weapon: Weapon<W>, request: HitRequest<W, string>, world: RegistrationWorld): void {
    const shot = this.#shot;
    const { angle, pitch = 0, tick = world.tick, lastAngle = angle, claim = -1, claimTable } = request;
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
    shot.claimTarget = claimTable === undefined ? 0 : this.#targets.findIndex(({ name }) => name === claimTable);
    if (shot.claimTarget < 0) throw new RangeError(`no shots are at "${claimTable}"`);
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

/** By kit and first table of targets. */
const registrations = new WeakMap<object, WeakMap<object, HitRegistration[]>>();
const NO_RULES: RegistrationRules = {};

function isList(targets: AnyWorldTable | readonly AnyWorldTable[]): targets is readonly AnyWorldTable[] {
  return Array.isArray(targets);
}

function firstOf(targets: AnyWorldTable | readonly AnyWorldTable[]): AnyWorldTable {
  return isList(targets) ? targets[0] : targets;
}

function heightsOf(table: AnyWorldTable): Numbers | undefined {
  return positionAxes(table.state, table)[2].values;
}

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
    claimTarget: 0,
    inPlane,
  };
}
