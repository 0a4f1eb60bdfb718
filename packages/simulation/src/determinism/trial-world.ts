/**
 * A world by itself, without clients or a network: joined, stepped with given inputs, saved and put back, as prediction and
 * rollback do. What `seenBy` sees is the present. Messages and events go nowhere.
 */
import type { AnyGame, Inputs, InputView } from "../game/define-game.ts";
import { TickRandom } from "../game/random.ts";
import { createWorld, WorldBase } from "../game/world.ts";
import type { AnyWorldTable, States, World, WorldOwner } from "../game/world.ts";
import { createSights } from "../rewind/create-sights.ts";
import { DrawnSight } from "../rewind/drawn-sight.ts";
import { StateTable } from "../state/index.ts";
import type { Fields, RowIdentity } from "../state/index.ts";

/** Everything that a step may build on, of one table. */
interface SavedTable {
  /** Also of free rows: they decide the ids of entities to come. */
  readonly generations: Uint8Array;
  readonly ids: readonly number[];
  readonly owners: readonly number[];
  readonly words: Int32Array;
}

export type SavedWorld = readonly SavedTable[];

export class TrialWorld implements WorldOwner {
  readonly tables: readonly AnyWorldTable[];
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #seed: number;
  readonly #inputTable: StateTable<Fields>;
  readonly #inputs: Inputs<Fields>;
  readonly #players: number;
  readonly #random = new TickRandom();
  readonly #key = new Uint32Array(8);

  constructor(game: AnyGame, seed: number, players: number) {
    this.#game = game;
    this.#seed = seed;
    this.#players = players;
    const { world, tables } = createWorld<States>(new WorldBase(game.tickRate, true, game.statics, this), game.states);
    this.#world = world;
    this.tables = tables;
    createSights(
      tables,
      game.statics,
      () => world.tick,
      (table) => {
        const source = new DrawnSight(table.state, table, table);
        return { history: source.history, source };
      },
    );
    // The row behind the last player's is the neutral input.
    this.#inputTable = new StateTable<Fields>(game.input, { capacity: players + 1 });
    for (let player = 0; player <= players; player++) this.#inputTable.insert(player, player);
    const isPlayer = ({ owner }: RowIdentity): boolean => owner >= 0 && owner < players;
    this.#inputs = {
      of: (row: RowIdentity): InputView<Fields> => this.#inputTable.rowAt(isPlayer(row) ? row.owner : players),
      isPresent: isPlayer,
    };
    world.beginTick(0, seed, false);
  }

  join(player: number, userData: Uint8Array): void {
    this.#game.join(this.#world, { id: player, clientId: BigInt(player + 1), userData });
    this.#settle();
  }

  /** `inputs`: the settled input of each player, one after the other from `offset` on. */
  step(tick: number, inputs: Int32Array, offset: number, isReplay: boolean): void {
    const { wordCount } = this.#inputTable;
    for (let player = 0; player < this.#players; player++)
      this.#inputTable.writeWords(player, inputs, offset + player * wordCount);
    this.#world.beginTick(tick, this.#seed, isReplay);
    this.#game.step(this.#world, this.#inputs);
    this.#settle();
  }

  save(): SavedWorld {
    return this.tables.map((table) => {
      const rows = [...table.all()];
      const words = new Int32Array(rows.length * table.wordCount);
      rows.forEach((row, i) => table.readWords(row.index, words, i * table.wordCount));
      const generations = table.generations.slice();
      return { generations, ids: rows.map((row) => row.id), owners: rows.map((row) => row.owner), words };
    });
  }

  load(saved: SavedWorld): void {
    saved.forEach(({ generations, ids, owners, words }, t) => {
      const table = this.tables[t];
      table.clear();
      ids.forEach((id, i) => {
        const row = table.insert(id, owners[i]);
        table.writeWords(row.index, words, i * table.wordCount);
      });
      table.generations.set(generations);
    });
  }

  /** For the world. */
  randomKeyOf(seat: number): Uint32Array {
    this.#random.reseed(this.#seed, -2 - seat);
    for (let i = 0; i < this.#key.length; i++) this.#key[i] = this.#random.bits();
    return this.#key;
  }

  send(): boolean {
    return true;
  }

  broadcast(): boolean {
    return true;
  }

  broadcastNear(): boolean {
    return true;
  }

  emit(): void {
    // Nobody is there to hear it.
  }

  #settle(): void {
    for (const table of this.tables) table.settle();
  }
}
