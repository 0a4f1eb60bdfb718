import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { readUserData, writeUserData } from "./user-data.ts";

test("what is written reads back", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 32 });
  const room = text.filter((name) => Buffer.byteLength(name) <= 32 && !name.includes("\0"));
  const data = fc.record({ room, gameData: fc.uint8Array({ maxLength: 192 }), issuedAt: fc.maxSafeNat() });
  fc.assert(
    fc.property(data, ({ room: name, gameData, issuedAt }) => {
      const bytes = writeUserData({ room: name, gameData, issuedAt });
      assert.equal(bytes.length, 256);
      const read = readUserData(bytes);
      assert.deepEqual([read.marked, read.room, read.issuedAt], [true, name, issuedAt]);
      assert.deepEqual(read.gameData.subarray(0, gameData.length), gameData);
      assert.ok(read.gameData.subarray(gameData.length).every((byte) => byte === 0));
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("the layout is the documented one", () => {
  const bytes = writeUserData({ room: "arena", gameData: Uint8Array.of(9), issuedAt: 0x0001_0203_0405 });
  assert.deepEqual([...bytes.subarray(0, 8)], [0x52, 0x50, 0x53, 0x54, 1, 3, 0, 0]);
  assert.equal(Buffer.from(bytes.subarray(8, 13)).toString(), "arena");
  assert.deepEqual([...bytes.subarray(40, 48)], [5, 4, 3, 2, 1, 0, 0, 0]);
  assert.equal(bytes[64], 9);
});

test("what is not ours belongs to the game whole", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const read = readUserData(bytes);
      assert.equal(read.marked, false);
      assert.equal(read.gameData, bytes);
    }),
    { seed: 4, numRuns: 200 },
  );
  const bad = writeUserData({ room: "x" });
  bad[8] = 0xff;
  assert.equal(readUserData(bad).marked, false, "malformed UTF-8");
  const later = writeUserData({});
  later[4] = 2;
  assert.equal(readUserData(later).marked, false, "a version to come");
});

test("what does not fit is refused", () => {
  assert.throws(() => writeUserData({ room: "é".repeat(17) }), RangeError);
  assert.throws(() => writeUserData({ room: "a\0b" }), RangeError);
  assert.throws(() => writeUserData({ gameData: new Uint8Array(193) }), /193/);
  assert.throws(() => writeUserData({ issuedAt: 1.5 }), /1\.5/);
});

test("the vectors of docs/protocol/user-data.md", () => {
  const file = new URL("../../../../docs/protocol/vectors/user-data.txt", import.meta.url);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  let marked = 0;
  let unmarked = 0;
  for (const line of lines) {
    const [kind, ...rest] = line.split(" ");
    if (kind === "MARKED") {
      const [roomHex, issuedAt, flags, gameHex, hex] = rest;
      const allowed = { allowLargePackets: (Number(flags) & 1) !== 0, allowMigration: (Number(flags) & 2) !== 0 };
      const room = Buffer.from(unhex(roomHex)).toString();
      const gameData = unhex(gameHex);
      const bytes = unhex(hex);
      assert.deepEqual(writeUserData({ room, gameData, issuedAt: Number(issuedAt), ...allowed }), bytes);
      const read = readUserData(bytes);
      assert.deepEqual([read.marked, read.room, read.issuedAt], [true, room, Number(issuedAt)]);
      const { allowLargePackets, allowMigration } = read;
      assert.deepEqual({ allowLargePackets, allowMigration }, allowed);
      marked++;
    } else if (kind === "UNMARKED") {
      assert.equal(readUserData(unhex(rest[0])).marked, false);
      unmarked++;
    }
  }
  assert.deepEqual([marked, unmarked], [4, 5]);
});

function unhex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex === "-" ? "" : hex, "hex"));
}
