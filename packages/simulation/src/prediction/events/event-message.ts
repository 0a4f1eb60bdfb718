/**
 * The server's word on one event. After the kind byte: u8 number in the game's list, varints tick, table and entity id,
 * varint spawn key (0: none), varint ordinal, then the values in bits.
 */
import { BitReader, BitWriter, ByteReader, ByteWriter } from "@riposte/wire";
import { decodeFields, encodeFields } from "../../state/index.ts";
import type { Fields, Values } from "../../state/index.ts";
import { MessageKind } from "../../game/message-kind.ts";
import type { EventDefinition } from "./define-event.ts";
import type { EventKey } from "./event-key.ts";

export class EventWriter {
  /** What `write` wrote. */
  readonly packet: Uint8Array = new Uint8Array(MAX_EVENT_BYTES);
  readonly #bytes = new ByteWriter();
  readonly #bits = new BitWriter();

  /** Returns the length. Throws `RangeError` for values that take more than 1 KiB. */
  write(definition: EventDefinition, key: Readonly<EventKey>, id: number, value: Values<Fields>): number {
    const bytes = this.#bytes.reset(this.packet);
    bytes.u8(MessageKind.event);
    bytes.u8(key.kind);
    bytes.varint(key.tick);
    bytes.varint(key.table);
    bytes.varint(id);
    bytes.varint(key.entity < 0 ? -1 - key.entity : 0);
    bytes.varint(key.ordinal);
    const bits = this.#bits.reset(this.packet, bytes.offset);
    encodeFields(definition.record, value, bits);
    const end = bits.finish();
    if (bits.failed) throw new RangeError(`event "${definition.name}" takes more than ${MAX_EVENT_BYTES} bytes`);
    return end;
  }
}

export class EventReader {
  /** What `read` read. */
  readonly key: EventKey = { tick: -1, kind: 0, table: 0, entity: 0, ordinal: 0 };
  id = 0;
  readonly #definitions: readonly EventDefinition[];
  readonly #bytes = new ByteReader();
  readonly #bits = new BitReader();

  constructor(definitions: readonly EventDefinition[]) {
    this.#definitions = definitions;
  }

  /** The event's values; `undefined` when it is malformed. */
  read(buffer: Uint8Array, offset: number, length: number): Values<Fields> | undefined {
    const bytes = this.#bytes.reset(buffer, offset, offset + length);
    bytes.skip(1);
    const { key } = this;
    key.kind = bytes.u8();
    key.tick = bytes.varint();
    key.table = bytes.varint();
    this.id = bytes.varint();
    const spawnKey = bytes.varint();
    key.entity = spawnKey > 0 ? -1 - spawnKey : this.id;
    key.ordinal = bytes.varint();
    const definition = this.#definitions[key.kind];
    if (bytes.failed || definition === undefined) return undefined;
    const bits = this.#bits.reset(buffer, bytes.offset, bytes.end);
    const value = decodeFields(definition.record, bits);
    return bits.failed ? undefined : value;
  }
}

const MAX_EVENT_BYTES = 1024;
