/**
 * `seenBy`: queries against what one player saw of one state, with the walls and whatever else stops a shot. The server's
 * and the client's differ only in the view that a `SightSource` gives.
 */
import type { Fields, Row, RowIdentity, StateTable } from "../state/index.ts";
import { cos, sin } from "../math/index.ts";
import type { Body } from "./body-query.ts";
import type { RewindQuery } from "./rewind-query.ts";
import type { RewindView } from "./rewound-poses.ts";
import type { ShotTape } from "./receipts/shot-tape.ts";
import type { SeenHit, SeenOptions, SeenPose } from "./seen-by.ts";
import { SeenHits } from "./seen-hits.ts";
import type { ShotDesk, ShotSight } from "./shot-sight.ts";
import type { Scene, SightSource } from "./sight-source.ts";

export class RewindContext<F extends Fields> implements ShotSight<F> {
  readonly query: RewindQuery;
  readonly #table: StateTable<F>;
  readonly #source: SightSource;
  readonly #scene: Scene;
  readonly #name: string;
  #row: RowIdentity | undefined;
  #weapon: string | undefined;
  /** For whom, at which tick and how much later the query was pointed last, and at what. */
  #lookedFor: RowIdentity | undefined;
  #lookedAt = -1;
  #lookedWith: string | undefined;
  #laterTicks = 0;
  #towardsNow = 0;
  #view: RewindView | undefined;
  readonly #now: () => number;
  /** What the query at hand may meet. */
  #accept: ((entity: Row<F>) => boolean) | undefined;
  #withGone = false;
  readonly #filter: { except: number; layers: number; readonly accept: (place: number, id: number) => boolean };
  readonly #hits: SeenHits<F>;
  #rays: (SeenHit<F> | undefined)[] = [];
  #overlaps: SeenHit<F>[] = [];
  #tape: ShotTape | undefined;
  /** How far the rays of the last query got. */
  #reached = new Float64Array(1);
  /** For other tables' queries: the looker does not stop its own shots. */
  readonly #stopped = { except: -1, layers: -1 };

  /** `now`: the tick that is being simulated; `name`: of the state. */
  constructor(
    table: StateTable<F>,
    query: RewindQuery,
    source: SightSource,
    scene: Scene,
    now: () => number,
    name: string = "",
  ) {
    this.#name = name;
    this.#table = table;
    this.query = query;
    this.#source = source;
    this.#scene = scene;
    this.#now = now;
    this.#hits = new SeenHits(table, query.hitboxes);
    this.#filter = { except: -1, layers: -1, accept: (place, id) => this.#accepts(place, id) };
  }

  get viewTick(): number {
    return this.#row === undefined ? -1 : this.#focus(this.#row, 0, 0).viewTick;
  }

  get newsTick(): number {
    const view = this.#row === undefined ? undefined : this.#focus(this.#row, 0, 0);
    return view?.newsTick ?? view?.viewTick ?? -1;
  }

  /** Points it at what the owner of `row` saw. */
  seenBy(row: RowIdentity, weapon?: string): ShotSight<F> {
    this.#row = row;
    this.#weapon = weapon;
    // What it is pointed at is worked out by whoever asks first, who may ask for another moment.
    this.#lookedFor = undefined;
    return this;
  }

  raycast(
    x: number,
    y: number,
    angle: number,
    range: number,
    options?: SeenOptions<F> | ((entity: Row<F>) => boolean),
  ): SeenHit<F> | undefined {
    const dx = cos(angle);
    const dy = sin(angle);
    if (typeof options !== "function") return this.#raycast(x, y, 0, dx, dy, 0, range, options, undefined, true);
    return this.#raycast(x, y, 0, dx, dy, 0, range, undefined, options, true);
  }

  performRaycast(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    options?: SeenOptions<F>,
  ): SeenHit<F> | undefined {
    return this.#raycast(x, y, z, dx, dy, dz, range, options, undefined, false);
  }

  performRaycasts(
    x: number,
    y: number,
    z: number,
    directions: Float64Array,
    range: number,
    options?: SeenOptions<F>,
  ): readonly (SeenHit<F> | undefined)[] {
    const count = Math.floor(directions.length / 3);
    if (this.#reached.length !== count) this.#reached = new Float64Array(count);
    const reached = this.#reached;
    const row = this.#begin(options, undefined);
    for (let i = 0; i < count; i++) {
      const at = i * 3;
      const dx = directions[at];
      const dy = directions[at + 1];
      const dz = directions[at + 2];
      reached[i] = this.#stop(row, x, y, z, dx, dy, dz, range, options, false);
    }
    const { query } = this;
    query.raycastAll(x, y, z, directions, reached, this.#filter);
    this.#rays.length = count;
    for (let i = 0; i < count; i++) {
      const at = i * 3;
      const far = reached[i];
      this.#rays[i] =
        query.metPlaces[i] < 0
          ? undefined
          : this.#hits.fill(
              i + 1,
              query.metPlaces[i],
              query.metIds[i],
              query.metHitboxes[i],
              far,
              x + directions[at] * far,
              y + directions[at + 1] * far,
              z + directions[at + 2] * far,
            );
    }
    return this.#rays;
  }

  performSweep(
    body: Body,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    options?: SeenOptions<F>,
  ): SeenHit<F> | undefined {
    const row = this.#begin(options, undefined);
    const x = (body.ax + body.bx) / 2;
    const y = (body.ay + body.by) / 2;
    const z = (body.az + body.bz) / 2;
    const reach = this.#stop(row, x, y, z, dx, dy, dz, range, options, false);
    const { bodies } = this.query;
    const far = bodies.sweep(body, dx, dy, dz, reach, this.#filter);
    this.#reached[0] = far < reach ? far : reach;
    if (bodies.place < 0) return undefined;
    const { place, id, hitbox } = bodies;
    return this.#hits.fill(0, place, id, hitbox, far, x + dx * far, y + dy * far, z + dz * far);
  }

  performOverlap(body: Body, options?: SeenOptions<F>): readonly SeenHit<F>[] {
    this.#begin(options, undefined);
    const { bodies } = this.query;
    const count = bodies.overlap(body, this.#filter);
    const x = (body.ax + body.bx) / 2;
    const y = (body.ay + body.by) / 2;
    const z = (body.az + body.bz) / 2;
    this.#overlaps.length = count;
    for (let i = 0; i < count; i++) {
      const { places, ids, hitboxes, distances } = bodies;
      this.#overlaps[i] = this.#hits.fill(i + 1, places[i], ids[i], hitboxes[i], distances[i], x, y, z);
    }
    return this.#overlaps;
  }

  poseOf(target: RowIdentity, pose: SeenPose): boolean {
    if (this.#row === undefined) return false;
    this.#focus(this.#row, 0, 0);
    const { query } = this;
    if (!query.locate(target.index) || query.pose.id !== target.id) return false;
    copyPose(query.pose, pose);
    return true;
  }

  get desk(): ShotDesk | undefined {
    return this.#scene.desk;
  }

  get examined(): number {
    return this.query.examined + this.query.bodies.examined;
  }

  get isViewCut(): boolean {
    if (this.#row !== undefined) this.#focus(this.#row, 0, 0);
    return this.#source.isViewCut;
  }

  reachOf(i: number): number {
    return this.#reached[i];
  }

  wallAlong(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    inPlane: boolean,
  ): number {
    const row = this.#looker();
    this.#focus(row, 0, 0);
    return this.#wall(row, x, y, z, dx, dy, dz, range, inPlane);
  }

  record(tape: ShotTape | undefined): void {
    this.#tape = tape;
    this.#touch(tape);
  }

  recordBlockers(tape: ShotTape | undefined): void {
    for (const blocker of this.#scene.blockers) blocker.#touch(tape);
  }

  #touch(tape: ShotTape | undefined): void {
    const { query } = this;
    const blocks = this.#scene.blockers.some((blocker) => Object.is(blocker, this));
    query.touches = query.bodies.touches = tape?.open(query.history, this.#name, blocks);
  }

  stoodWhenSeen(place: number, out: SeenPose): boolean {
    this.#focus(this.#looker(), 0, 0);
    const { query } = this;
    if (!query.locate(place)) return false;
    copyPose(query.pose, out);
    return true;
  }

  stoodAt(row: RowIdentity, tick: number, out: SeenPose): boolean {
    const { history } = this.query;
    // A client's history is no past.
    if (this.#scene.desk === undefined) return false;
    if (!(tick >= history.oldestTick && tick <= history.newestTick) || row.index >= history.usedPlaces) return false;
    const entry = history.at(row.index, tick);
    if (history.words[entry] !== row.id) return false;
    out.x = history.floats[entry + 1];
    out.y = history.floats[entry + 2];
    out.z = history.floats[entry + 3];
    return true;
  }

  /** The query was pointed elsewhere meanwhile: it is pointed anew before it is used again. */
  forgetView(): void {
    this.#view = undefined;
  }

  /** How far a ray gets before an entity of this table stops it, for another table's query. */
  blocks(
    row: RowIdentity,
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    laterTicks: number,
    towardsNow: number,
    weapon: string | undefined,
  ): number {
    this.#focus(row, laterTicks, towardsNow, weapon);
    this.#stopped.except = this.#placeOf(row);
    return this.query.raycast(x, y, z, dx, dy, dz, range, this.#stopped);
  }

  #raycast(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    options: SeenOptions<F> | undefined,
    accept: ((entity: Row<F>) => boolean) | undefined,
    inPlane: boolean,
  ): SeenHit<F> | undefined {
    const row = this.#begin(options, accept);
    const reach = this.#stop(row, x, y, z, dx, dy, dz, range, options, inPlane);
    const { query } = this;
    const far = query.raycast(x, y, z, dx, dy, dz, reach, this.#filter);
    this.#reached[0] = far < reach ? far : reach;
    if (query.place < 0) return undefined;
    return this.#hits.fill(0, query.place, query.id, query.hitbox, far, x + dx * far, y + dy * far, z + dz * far);
  }

  #begin(options: SeenOptions<F> | undefined, accept: ((entity: Row<F>) => boolean) | undefined): RowIdentity {
    const row = this.#looker();
    this.#focus(row, options?.laterTicks ?? 0, options?.towardsNow ?? 0);
    const filter = this.#filter;
    filter.except = this.#placeOf(row);
    filter.layers = this.query.hitboxes.layerMask(options?.layers);
    this.#accept = accept ?? options?.accept;
    this.#withGone = options?.gone ?? false;
    return row;
  }

  /** -1: it is another table's row, which may have the same index. */
  #placeOf(row: RowIdentity): number {
    return row === this.#table.rowAt(row.index) ? row.index : -1;
  }

  #looker(): RowIdentity {
    if (this.#row === undefined) throw new TypeError("seenBy(row) comes first");
    return this.#row;
  }

  /** How far a query gets whatever it meets. */
  #stop(
    row: RowIdentity,
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    options: SeenOptions<F> | undefined,
    inPlane: boolean,
  ): number {
    if (options?.throughWalls === true) return range;
    return this.#wall(row, x, y, z, dx, dy, dz, range, inPlane || options?.inPlane === true);
  }

  /** Points the query at what the owner of `row` saw, unless it is. */
  #focus(row: RowIdentity, laterTicks: number, towardsNow: number, weapon = this.#weapon): RewindView {
    const now = this.#now();
    const isSame = this.#lookedFor === row && this.#lookedAt === now && this.#lookedWith === weapon;
    if (this.#view !== undefined && isSame && this.#laterTicks === laterTicks && this.#towardsNow === towardsNow)
      return this.#view;
    this.#lookedFor = row;
    this.#lookedAt = now;
    this.#lookedWith = weapon;
    this.#laterTicks = laterTicks;
    this.#towardsNow = towardsNow;
    const view = this.#source.viewOf(row, laterTicks, towardsNow, weapon);
    this.#view = view;
    this.query.look(view);
    this.#source.addLive(row, this.query);
    return view;
  }

  #wall(
    row: RowIdentity,
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    inPlane: boolean,
  ): number {
    const { statics, blockers } = this.#scene;
    const wall = inPlane
      ? statics.raycastAlong(x, y, dx, dy, range)
      : statics.raycastInSpace(x, y, z, dx, dy, dz, range);
    if (this.#tape !== undefined) this.#tape.noteShape(statics.metShape);
    let reach = wall < range ? wall : range;
    for (let i = 0; i < blockers.length; i++) {
      const blocker = blockers[i];
      if (Object.is(blocker, this)) continue;
      const far = blocker.blocks(row, x, y, z, dx, dy, dz, reach, this.#laterTicks, this.#towardsNow, this.#weapon);
      if (far < reach) reach = far;
    }
    return reach;
  }

  #accepts(place: number, id: number): boolean {
    const table = this.#table;
    if (table.alive[place] === 0 || table.idAt(place) !== id) return this.#withGone;
    return this.#accept === undefined || this.#accept(table.rowAt(place));
  }
}

function copyPose(from: Readonly<SeenPose>, to: SeenPose): void {
  to.x = from.x;
  to.y = from.y;
  to.z = from.z ?? 0;
  to.angle = from.angle;
}
