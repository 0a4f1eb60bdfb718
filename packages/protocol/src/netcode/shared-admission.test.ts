import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../random.ts";
import { namedTypeOf, PACKET_PAYLOAD } from "./constants.ts";
import { writeNamedHeader, writePacketHeader } from "./packet-header.ts";
import { MAX_THREADS, threadOfPacket, threadSalt } from "./shared-admission.ts";

/** As `SessionTable` makes them: 20 bits of salt over 12 of the index. */
function idOf(salt: number, index: number): number {
  return ((salt << 12) | index) >>> 0;
}

test("a packet that names a session names its thread, whatever the salt and the index", () => {
  const random = new Random(9);
  const buffer = new Uint8Array(100);
  for (let i = 0; i < 500; i++) {
    const thread = random.int(MAX_THREADS);
    const salt = threadSalt(random.int(2 ** 20), thread);
    assert.ok(salt < 2 ** 20);
    const offset = random.int(20);
    writeNamedHeader(buffer, offset, namedTypeOf(PACKET_PAYLOAD), idOf(salt, random.int(4096)), random.int(2 ** 30));
    assert.equal(threadOfPacket(buffer, offset, 60), thread);
  }
});

test("others name none", () => {
  const buffer = new Uint8Array(100).fill(255);
  writePacketHeader(buffer, 0, PACKET_PAYLOAD, 5);
  assert.equal(threadOfPacket(buffer, 0, 60), -1);
  writeNamedHeader(buffer, 0, namedTypeOf(PACKET_PAYLOAD), 0xffff_ffff, 5);
  assert.equal(threadOfPacket(buffer, 0, 10), -1, "too short for a packet");
  assert.equal(threadOfPacket(new Uint8Array(0), 0, 0), -1);
});
