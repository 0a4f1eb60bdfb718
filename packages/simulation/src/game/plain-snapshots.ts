/** Stand-in until state/ has its snapshot stream: everything, whole, every time. */
import type { BitReader, BitWriter } from "@riposte/wire";
import { decodeRecord, encodeRecord } from "../state/index.ts";
import type { AnyTable, StateDefinition } from "../state/index.ts";

export class SnapshotStream {
  readonly #tables: AnyTable[];
  readonly #seat: number;
  constructor(options: {
    tables: Record<string, AnyTable>;
    clientId: number;
    tickRate: number;
    budgetBytes: number;
    relevanceRadius?: number;
  }) {
    this.#tables = Object.values(options.tables);
    this.#seat = options.clientId;
  }
  write(tick: number, _x: number, _y: number, writer: BitWriter): void {
    writer.bits(tick, 32);
    for (const table of this.#tables) {
      for (let index = 0; index < table.highWater; index++) {
        if (table.alive[index] === 0) continue;
        writer.bool(true);
        writer.bits(table.idAt(index), 24);
        writer.bits(table.owners[index] + 1, 16);
        const audience = table.owners[index] === this.#seat ? "owner" : "all";
        encodeRecord(table.definition, table.words, index * table.wordCount, undefined, 0, writer, audience);
      }
      writer.bool(false);
    }
  }
  acknowledge(_tick: number): void {}
}

class ReceivedTable {
  readonly present: Uint8Array;
  readonly ids: Int32Array;
  readonly owners: Int32Array;
  readonly words: Int32Array;
  readonly updatedAt: Float64Array;
  readonly definition: StateDefinition;
  constructor(definition: StateDefinition) {
    const size = definition.capacity;
    this.definition = definition;
    this.present = new Uint8Array(size);
    this.ids = new Int32Array(size);
    this.owners = new Int32Array(size);
    this.words = new Int32Array(size * definition.wordCount);
    this.updatedAt = new Float64Array(size);
  }
}

export class SnapshotReceiver {
  readonly tables: Record<string, ReceivedTable> = {};
  newestTick = -1;
  readonly #seat: number;
  constructor(options: { definitions: Readonly<Record<string, StateDefinition>>; clientId: number; tickRate: number }) {
    this.#seat = options.clientId;
    for (const name of Object.keys(options.definitions))
      this.tables[name] = new ReceivedTable(options.definitions[name]);
  }
  read(reader: BitReader): number {
    const tick = reader.bits(32);
    if (reader.failed || tick > 0x7fffffff || tick <= this.newestTick) return -1;
    this.newestTick = tick;
    for (const table of Object.values(this.tables)) {
      table.present.fill(0);
      while (reader.bool()) {
        const id = reader.bits(24);
        const owner = reader.bits(16) - 1;
        const index = id & 0xffff;
        if (index >= table.definition.capacity) return -1;
        const audience = owner === this.#seat ? "owner" : "all";
        decodeRecord(table.definition, table.words, index * table.definition.wordCount, undefined, 0, reader, audience);
        if (reader.failed) return -1;
        table.present[index] = 1;
        table.ids[index] = id;
        table.owners[index] = owner;
        table.updatedAt[index] = tick;
      }
    }
    return reader.failed ? -1 : tick;
  }
}
