/**
 * The exceptions that favour victims: whom a shot does not hit although the shooter saw it. For `HitRegistration`, whose
 * rules ask it for each hit that would count; a game that casts its own rays may ask it, too. Server only.
 */
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { WorldTable } from "../../game/world-table.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import type { SnapshotHistory } from "../history/snapshot-history.ts";
import { positionAxes } from "../position-axes.ts";
import type { Numbers } from "../position-axes.ts";
import type { VictimRules } from "../registration/victim-rules.ts";
import { CoverBudget } from "./cover-budget.ts";
import { coverTicks } from "./cover-time.ts";
import type { MovingCover } from "./cover-time.ts";
import type { FavorTheShooter } from "./favor-the-shooter.ts";

/** What the game knows of victims. */
export interface VictimExceptions<F extends Fields> {
  isInvulnerable?(this: void, victim: Row<F>): boolean;
  isDashing?(this: void, victim: Row<F>): boolean;
  /** How high eyes are above an entity's position: whom they do not see is behind cover. Without heights ignored. Default 1.5. */
  readonly eyeHeight?: number;
}

/** Why a hit does not count. */
export type VictimException = "invulnerable" | "dashing" | "behindCover" | "coverBudget";

/** What a match knows of one of its tables. */
export interface VictimSource {
  readonly history: SnapshotHistory;
  readonly statics: StaticGeometry;
  /** Of the states that `blocks`. */
  readonly blockers: readonly MovingCover[];
  readonly favor: FavorTheShooter;
  readonly tickMs: number;
  /** The tick that is being simulated. */
  now(): number;
}

export class FairVictims<F extends Fields = Fields> implements VictimRules<F> {
  readonly #targets: WorldTable<F>;
  readonly #shooters: WorldTable<Fields>;
  #exceptions: VictimExceptions<F>;
  #budget: CoverBudget;
  readonly #height: Numbers | undefined;
  readonly #shooterHeight: Numbers | undefined;

  /** `shooters`: the table of those who shoot, where that is not the victims'. */
  constructor(targets: WorldTable<F>, exceptions: VictimExceptions<F> = {}, shooters: WorldTable<Fields> = targets) {
    this.#targets = targets;
    this.#shooters = shooters;
    this.#exceptions = exceptions;
    this.#budget = new CoverBudget(targets.capacity);
    this.#height = positionAxes(targets.state, targets)[2].values;
    this.#shooterHeight = positionAxes(shooters.state, shooters)[2].values;
  }

  /**
   * The rules of a table's victims, the same every time: their budgets are kept in them, whoever shoots. `exceptions` may be
   * another object.
   */
  static of<F extends Fields>(
    targets: WorldTable<F>,
    exceptions?: VictimExceptions<F>,
    shooters: WorldTable<Fields> = targets,
  ): FairVictims<F> {
    let byShooter = rulesByTable.get(targets);
    if (byShooter === undefined)
      rulesByTable.set(targets, (byShooter = { budget: new CoverBudget(targets.capacity), rules: new WeakMap() }));
    let rules = byShooter.rules.get(shooters) as FairVictims<F> | undefined;
    if (rules === undefined) {
      byShooter.rules.set(shooters, (rules = new FairVictims(targets, exceptions, shooters)));
      rules.#budget = byShooter.budget;
    }
    if (exceptions !== undefined) rules.#exceptions = exceptions;
    return rules;
  }

  /** `weapon`: where it has settings of its own. On a client nobody is protected. */
  protects(
    place: number,
    _hit: unknown,
    shooter: RowIdentity,
    newsMs: number,
    weapon?: string,
  ): VictimException | undefined {
    const source = this.#targets.victims;
    if (source === undefined) return undefined;
    const { settings } = source.favor;
    const victim = this.#targets.rowAt(place);
    const { isInvulnerable, isDashing } = this.#exceptions;
    if (settings.spareInvulnerable && isInvulnerable?.(victim) === true) return "invulnerable";
    if (settings.spareDashing && isDashing?.(victim) === true) return "dashing";
    const { behindCoverMs } = source.favor.of(weapon);
    const { coverBudgetMs, coverWindowMs } = settings;
    if (behindCoverMs === "off" && coverBudgetMs === "off") return undefined;
    const coverMs = this.#coverMs(source, victim, shooter, newsMs);
    if (coverMs <= 0) return undefined;
    if (behindCoverMs !== "off" && coverMs > behindCoverMs) return "behindCover";
    if (coverBudgetMs === "off") return undefined;
    const nowMs = source.now() * source.tickMs;
    const bears = this.#budget.take(place, victim.id, coverMs, nowMs, coverBudgetMs, coverWindowMs);
    return bears ? undefined : "coverBudget";
  }

  /** For how long the victim has been behind cover: no longer than the shooter's news are old, for before that it did not look. */
  #coverMs(source: VictimSource, victim: RowIdentity, shooter: RowIdentity, newsMs: number): number {
    const { history, statics, blockers, tickMs } = source;
    const inPlane = this.#height === undefined;
    const { eyeHeight = 1.5 } = this.#exceptions;
    const most = Math.ceil(newsMs / tickMs);
    const from = this.#placeOf(this.#shooters, shooter.index, this.#shooterHeight);
    const to = this.#placeOf(this.#targets, victim.index, this.#height);
    return coverTicks({ history, statics, blockers, inPlane, eyeHeight }, shooter, from, victim, to, most) * tickMs;
  }

  #placeOf(
    table: WorldTable<Fields>,
    index: number,
    heights: Numbers | undefined,
  ): { x: number; y: number; z: number } {
    const { positionX, positionY } = table;
    return { x: positionX?.[index] ?? 0, y: positionY?.[index] ?? 0, z: heights?.[index] ?? 0 };
  }
}

/** By table of victims: what these bear, and the rules by table of shooters. */
const rulesByTable = new WeakMap<object, { readonly budget: CoverBudget; readonly rules: WeakMap<object, unknown> }>();
