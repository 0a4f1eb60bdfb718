import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeFrames } from "./qlog-frames.ts";

function payload(...parts: (number[] | string)[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
}

test("every frame has its name and its numbers, and none of its contents", () => {
  const all = payload(
    [0x02, 0x09, 0x40, 0xfa, 0x01, 0x01, 0x00, 0x03], // ACK: 8..9, gap 0: 3..6, delay 250
    [0x0e, 0x05, 0x0a, 0x03],
    "abc", // STREAM 5 at 10
    [0x10, 0x20, 0x14, 0x21], // MAX_DATA, DATA_BLOCKED
    [0x31, 0x02],
    "hi", // DATAGRAM
    [0x40, 0x43, 0x07, 0x01],
    "x", // ordered message 7
    [0x40, 0x47, 0x08, 0x00, 0x03, 0x02],
    "yz", // fragment 0 of 4 of ordered message 8
    [0x1a, 1, 2, 3, 4, 5, 6, 7, 8],
    [0x1b, 8, 7, 6, 5, 4, 3, 2, 0],
    [0, 0, 0],
  );
  assert.deepEqual(decodeFrames(all), {
    malformed: false,
    frames: [
      {
        frame_type: "ack",
        ack_delay: 2,
        acked_ranges: [
          [8, 9],
          [3, 6],
        ],
      },
      { frame_type: "stream", stream_id: 5, offset: 10, length: 3 },
      { frame_type: "max_data", maximum: 32 },
      { frame_type: "data_blocked", limit: 33 },
      { frame_type: "datagram", length: 2 },
      { frame_type: "ordered_message", sequence: 7, length: 1 },
      { frame_type: "message_fragment", ordered: true, sequence: 8, fragment: 0, total_fragments: 4, length: 2 },
      { frame_type: "path_challenge", data: "0102030405060708" },
      { frame_type: "path_response", data: "0807060504030200" },
      { frame_type: "padding", length: 3, payload_length: 3 },
    ],
  });
});

test("closing frames tell who speaks: the protocol or the application", () => {
  assert.deepEqual(decodeFrames(payload([0x1d, 0x07, 0x03], "bye")).frames, [
    { frame_type: "connection_close", error_space: "application", error_code: 7, error_code_value: 7, reason: "bye" },
  ]);
  assert.deepEqual(decodeFrames(payload([0x1c, 0x52, 0x02, 0x00, 0x00])).frames, [
    {
      frame_type: "connection_close",
      error_space: "transport",
      error_code: 0x1202,
      error_code_value: 0x1202,
      reason: "",
    },
  ]);
});

test("padding is counted behind a PING and alone, and an empty payload has no frames", () => {
  assert.deepEqual(decodeFrames(payload([0x01, 0, 0, 0, 0])).frames, [
    { frame_type: "ping" },
    { frame_type: "padding", length: 4, payload_length: 4 },
  ]);
  assert.deepEqual(decodeFrames(payload([0, 0])).frames, [{ frame_type: "padding", length: 2, payload_length: 2 }]);
  assert.deepEqual(decodeFrames(payload()), { frames: [], malformed: false });
});

test("garbage is said to be malformed, after the frames that could be read, and never throws", () => {
  assert.deepEqual(decodeFrames(payload([0x01, 0x3f])), { frames: [{ frame_type: "ping" }], malformed: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const { frames } = decodeFrames(bytes);
      assert.doesNotThrow(() => JSON.stringify(frames));
    }),
    { seed: 2, numRuns: 500 },
  );
});
