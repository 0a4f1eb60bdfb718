import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "@riposte/wire";
import * as fc from "fast-check";
import { NetworkError } from "../network-error.ts";
import { errorOfClose, readReason, writeClose } from "./close-frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { MAX_REASON_BYTES } from "./frames.ts";

test("whatever a peer gives as its reason is short, printable text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300, size: "max" }), fc.nat(300), fc.nat(300), (bytes, offset, length) => {
      const start = Math.min(offset, bytes.length);
      const end = Math.min(start + length, bytes.length);
      const reason = readReason(bytes, start, end - start);
      assert.equal(reason.length, Math.min(end - start, MAX_REASON_BYTES));
      assert.match(reason, /^[ -~]*$/);
      for (let i = 0; i < reason.length; i++) {
        const byte = bytes[start + i];
        assert.equal(reason[i], byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?");
      }
    }),
    { seed: 21, numRuns: 2000 },
  );
});

test("every code and reason makes an error that says what happened", () => {
  const code = fc.oneof(fc.nat(20), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.boolean(), code, fc.string({ maxLength: 128 }), (application, closeCode, reason) => {
      const error = errorOfClose(application, closeCode, reason);
      assert.ok(error instanceof NetworkError && error.message.length > 0);
      assert.ok(error.message.includes(reason));
      if (application) assert.deepEqual([error.code, error.closeCode], ["closedByPeer", closeCode]);
    }),
    { seed: 22, numRuns: 1000 },
  );
});

test("a close comes back as it was written, with what is not printable ASCII replaced", () => {
  const reader = new FrameReader();
  const text = fc.array(fc.nat(0xffff), { maxLength: 200 }).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(fc.boolean(), fc.maxSafeNat(), text, (application, code, reason) => {
      const closeCode = code % 2 ** 53;
      const writer = new ByteWriter(new Uint8Array(200));
      writeClose(writer, application, closeCode, reason);
      const payload = writer.written();
      reader.reset(payload, 0, payload.length);
      assert.equal(reader.next(), true);
      assert.equal(reader.closeCode, closeCode);
      const expected = Array.from({ length: Math.min(reason.length, MAX_REASON_BYTES) }, (_, i) =>
        /[ -~]/.test(reason[i]) ? reason[i] : "?",
      );
      assert.equal(readReason(payload, reader.dataOffset, reader.dataLength), expected.join(""));
      assert.equal(reader.next(), false);
    }),
    { seed: 23, numRuns: 1000 },
  );
});
