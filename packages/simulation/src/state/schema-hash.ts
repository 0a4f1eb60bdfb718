import { encodeUtf8, utf8Length } from "@riposte/wire";
import type { RecordDefinition } from "./definition.ts";

/**
 * Eight bytes that two programs share exactly when they declare the same fields in the same order: FNV-1a (64 bit,
 * big-endian) over a canonical text. Anything may be hashed along: numbers, strings, lists and objects of definitions.
 */
export function schemaHash(...parts: readonly unknown[]): Uint8Array {
  const canonical = describe(parts);
  const bytes = new Uint8Array(utf8Length(canonical));
  encodeUtf8(canonical, bytes, 0);
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    // Times 2^40 + 0x1b3, modulo 2^64.
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  const hash = new Uint8Array(8);
  const view = new DataView(hash.buffer);
  view.setUint32(0, high);
  view.setUint32(4, low);
  return hash;
}

/** The canonical text of one definition, for error messages that say how two schemas differ. */
export function describeSchema(definition: RecordDefinition): string {
  const fields = definition.entries.map(({ name, field }) => {
    const { audience, velocity } = field.attributes;
    return `${JSON.stringify(name)}:${field.signature} ${audience} ${velocity ?? ""}`;
  });
  return `${definition.kind}{${fields.join(";")}}`;
}

function describe(part: unknown): string {
  if (isDefinition(part)) return describeSchema(part);
  if (Array.isArray(part)) return `[${part.map(describe).join(",")}]`;
  if (typeof part === "object" && part !== null) {
    const pairs = Object.entries(part).filter(([, value]) => typeof value !== "function");
    return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${describe(value)}`).join(",")}}`;
  }
  return typeof part === "function" || part === undefined ? "" : JSON.stringify(part);
}

function isDefinition(part: unknown): part is RecordDefinition {
  return typeof part === "object" && part !== null && "entries" in part && "initialWords" in part && "leaves" in part;
}
