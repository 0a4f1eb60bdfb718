/**
 * The two worlds of a client: the predicted one that its steps work on, and the view that is drawn; and what a step reaches
 * from them: sight as drawn, spawns ahead of the server, events, the player's own random numbers. It sends nothing.
 */
import type { EventDefinition } from "../../prediction/events/define-event.ts";
import { PredictedEvents } from "../../prediction/events/predicted-events.ts";
import { PROVISIONAL_ROWS } from "../../prediction/prediction-options.ts";
import { PredictedSpawns } from "../../prediction/spawns/predicted-spawns.ts";
import type { SpawnStats } from "../../prediction/spawns/predicted-spawns.ts";
import { createSights } from "../../rewind/create-sights.ts";
import { DrawnSight } from "../../rewind/drawn-sight.ts";
import type { Fields, RowIdentity, Values } from "../../state/index.ts";
import type { AnyGame } from "../define-game.ts";
import { RANDOM_KEY_WORDS } from "../welcome.ts";
import { createWorld, tableOf, WorldBase } from "../world.ts";
import type { AnyWorldTable, States, World, WorldOwner } from "../world.ts";
import type { SnapshotIntake } from "./snapshot-intake.ts";
import { createView } from "./view.ts";
import type { AnyViewTable, View } from "./view.ts";

export class ClientWorlds implements WorldOwner {
  /** This client's seat; -1 while it has none. */
  seat = -1;
  readonly world: World<States>;
  readonly tables: readonly AnyWorldTable[];
  readonly view: View<States>;
  readonly viewTables: readonly AnyViewTable[];
  readonly events: PredictedEvents;
  readonly spawnStats: SpawnStats = { predicted: 0, matched: 0, unmatched: 0, refused: 0 };
  #randomKey: Uint32Array = NO_KEY;

  constructor(game: AnyGame, intake: SnapshotIntake) {
    const seatOf = (): number => this.seat;
    const extraRows = game.tablePredictions.map(({ spawns }) => (spawns ? PROVISIONAL_ROWS : 0));
    const base = new WorldBase(game.tickRate, false, game.statics, this);
    const { world, tables } = createWorld<States>(base, game.states, extraRows);
    const source = {
      get seat(): number {
        return seatOf();
      },
      copyNewest: intake.copyNewest.bind(intake),
    };
    const { view, tables: viewTables } = createView<States>(game.states, source, extraRows);
    this.world = world;
    this.tables = tables;
    this.view = view;
    this.viewTables = viewTables;
    const names = Object.keys(game.states);
    for (let t = 0; t < tables.length; t++) {
      const table = tables[t];
      const { capacity } = table.state;
      if (extraRows[t] > 0)
        table.spawns = new PredictedSpawns(names[t], capacity, extraRows[t], this.spawnStats, seatOf);
    }
    createSights(
      tables,
      game.statics,
      () => world.tick,
      (table, t) => {
        const sight = new DrawnSight(table.state, table, viewTables[t], () => view.tick);
        return { history: sight.history, source: sight };
      },
    );
    this.events = new PredictedEvents(game.events, game.tickMs, {
      simulates: (table, id) => tables[table]?.simulated[tables[table].indexOf(id)] === 1,
      ownerOf: (table, id) => tables[table]?.get(id)?.owner ?? -1,
    });
  }

  /** The client was welcomed to `seat`. */
  start(seat: number, randomKey: Uint32Array): void {
    this.seat = seat;
    this.#randomKey = randomKey;
  }

  /** For the world. Of what others own a client steps nothing: these numbers are nobody's. */
  randomKeyOf(seat: number): Uint32Array {
    return seat >= 0 && seat === this.seat ? this.#randomKey : NO_KEY;
  }

  /** For the world. */
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void {
    const { events, tables } = this;
    const table = tableOf(tables, row);
    if (table < 0) return;
    events.emit(events.kindOf(definition), table, tables[table].identityOf(row), row.id, row.owner, value);
  }

  /** For the world: only a server sends. */
  send(): boolean {
    return false;
  }

  broadcast(): boolean {
    return false;
  }

  broadcastNear(): boolean {
    return false;
  }
}

const NO_KEY = new Uint32Array(RANDOM_KEY_WORDS);
