/** The reference of docs/protocol/frames.md: its vectors, read and written by our code. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ByteWriter } from "@riposte/wire";
import { AckRanges } from "../recovery/ack-ranges.ts";
import { readReason } from "./close-frame.ts";
import { Connection } from "./connection.ts";
import { FrameReader } from "./frame-reader.ts";
import { ReliableReceiver } from "./reliable-receive.ts";
import { ReliableSender } from "./reliable-send.ts";

const lines = readFileSync(new URL("../../../../docs/protocol/vectors/frames.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

function fromHex(text: string): Uint8Array {
  return text === "-" ? new Uint8Array(0) : new Uint8Array(Buffer.from(text, "hex"));
}

function toHex(bytes: Uint8Array): string {
  return bytes.length === 0 ? "-" : Buffer.from(bytes).toString("hex");
}

/** The lines of a vector: those behind `start` up to the next one in capitals that starts a vector. */
function behind(start: number): string[] {
  const end = lines.findIndex((line, i) => i > start && /^(PAYLOAD|MALFORMED|ACKS|MESSAGES|SESSION)/.test(line));
  return lines.slice(start + 1, end < 0 ? undefined : end);
}

/** One frame as the vectors write it. */
function describe(reader: FrameReader, payload: Uint8Array): string {
  const data = payload.subarray(reader.dataOffset, reader.dataOffset + reader.dataLength);
  const { ack, hello } = reader;
  switch (reader.kind) {
    case 0x01:
      return "PING";
    case 0x02: {
      const ranges = Array.from({ length: ack.rangeCount }, (_, i) => `${ack.lowest[i]}-${ack.highest[i]}`);
      const ecn = ack.ce < 0 ? "" : ` ecn ${ack.ect0} ${ack.ect1} ${ack.ce}`;
      return `ACK ${ack.delayMs * 125} ${ranges.join(",")}${ecn}`;
    }
    case 0x08:
      return `STREAM ${reader.streamId} ${reader.streamOffset} ${toHex(data)}`;
    case 0x10:
      return `MAX_DATA ${reader.maxData}`;
    case 0x14:
      return `DATA_BLOCKED ${reader.maxData}`;
    case 0x1a:
      return `PATH_CHALLENGE ${toHex(data)}`;
    case 0x1b:
      return `PATH_RESPONSE ${toHex(data)}`;
    case 0x1c:
      return `CLOSE ${reader.closeCode} ${readReason(payload, reader.dataOffset, reader.dataLength)}`;
    case 0x1d:
      return `CLOSE_APPLICATION ${reader.closeCode} ${readReason(payload, reader.dataOffset, reader.dataLength)}`;
    case 0x30:
      return `DATAGRAM ${toHex(data)}`;
    case 0x42:
      return `ORDERED ${reader.sequence} ${toHex(data)}`;
    case 0x44: {
      const kind = reader.ordered ? "ordered" : "unordered";
      const first = toHex(data.subarray(0, 1));
      return `FRAGMENT ${kind} ${reader.sequence} ${reader.fragment} ${reader.lastFragment} ${first} ${data.length}`;
    }
    case 0x40: {
      const extensions = (hello?.extensions ?? []).map(
        ({ id, value }) => `${id}=${Buffer.from(value).toString("hex")}`,
      );
      return `HELLO ${hello?.version} ${toHex(hello?.schemaHash ?? new Uint8Array(0))} ${extensions.join(" ")}`;
    }
    default:
      return `UNKNOWN ${reader.kind}`;
  }
}

test("payloads read as the vectors say", () => {
  const reader = new FrameReader();
  let count = 0;
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith("PAYLOAD ")) continue;
    const payload = fromHex(line.slice(8));
    const frames: string[] = [];
    reader.reset(payload, 0, payload.length);
    while (reader.next()) frames.push(describe(reader, payload));
    assert.equal(reader.error, 0, line);
    assert.deepEqual(frames, behind(index), line);
    count++;
  }
  assert.ok(count >= 20);
});

test("malformed payloads are refused", () => {
  const reader = new FrameReader();
  let count = 0;
  for (const line of lines) {
    const match = /^MALFORMED ([0-9a-f]+) /.exec(line);
    if (match === null) continue;
    const payload = fromHex(match[1]);
    reader.reset(payload, 0, payload.length);
    while (reader.next());
    assert.equal(reader.error, 7, line);
    count++;
  }
  assert.ok(count >= 20);
});

test("ACK frames are written as the vectors say", () => {
  let count = 0;
  for (const line of lines) {
    const match = /^ACKS ([0-9,]+) ([0-9a-f]+)$/.exec(line);
    if (match === null) continue;
    const acks = new AckRanges();
    for (const number of match[1].split(",")) acks.insert(Number(number), 0, 0);
    const writer = new ByteWriter(new Uint8Array(1200));
    assert.equal(acks.write(writer, 0), true);
    assert.equal(toHex(writer.written()), match[2]);
    count++;
  }
  assert.ok(count >= 4);
});

test("messages lie in the stream as the vectors say", () => {
  let count = 0;
  for (const line of lines) {
    const match = /^MESSAGES ([0-9,]+) ([0-9a-f]+)$/.exec(line);
    if (match === null) continue;
    const lengths = match[1].split(",").map(Number);
    const bytes = fromHex(match[2]);
    const sender = new ReliableSender(0, 10_000);
    for (const [id, length] of lengths.entries()) sender.write(new Uint8Array(length).fill(id), 0, length);
    assert.equal(sender.takeChunk(10_000, Infinity), true);
    const run = new Uint8Array(sender.chunkLength);
    sender.readChunk(run, 0);
    assert.equal(toHex(run), match[2]);
    const received: Uint8Array[] = [];
    const target = {
      closed: false,
      deliver(_channel: string, buffer: Uint8Array, offset: number, length: number): void {
        received.push(buffer.slice(offset, offset + length));
      },
    };
    // Byte by byte, so that every prefix is met in pieces.
    const receiver = new ReliableReceiver({ windowBytes: 65_536, messageBytes: 10_000, unfinishedBytes: 10_000 });
    for (let at = 0; at < bytes.length; at++) receiver.receive(0, at, bytes, at, 1, target);
    assert.deepEqual(
      received,
      lengths.map((length, id) => new Uint8Array(length).fill(id)),
    );
    count++;
  }
  assert.ok(count >= 3);
});

test("a session runs byte by byte as the vectors say", () => {
  const start = lines.indexOf("SESSION");
  assert.ok(start >= 0);
  const carrier = { name: "memory" as const, maxPayloadBytes: 1200, reliable: false };
  const hello = { version: 1 as const, schemaHash: fromHex("0102030405060708") };
  const sink = { message: (): void => undefined, raw: (): void => undefined };
  const owner = { wake: (): void => undefined };
  const ends = (["client", "server"] as const).map((role) => ({
    role,
    connection: new Connection({ role, carrier, hello, sink, owner, now: 0 }),
    next: 0,
    flights: [] as { at: number; packetNumber: number; bytes: Uint8Array }[],
  }));
  const [client, server] = ends;
  const said: string[] = [];
  const slot = new Uint8Array(1200);
  for (let now = 0; now <= 1000; now++) {
    for (const [from, to] of [
      [server, client],
      [client, server],
    ]) {
      while (from.flights.length > 0 && from.flights[0].at <= now) {
        const { bytes, packetNumber } = from.flights.shift() ?? { bytes: slot, packetNumber: 0 };
        to.connection.receivePayload(bytes, 0, bytes.length, packetNumber, 0, now);
      }
    }
    if (now === 100) {
      client.connection.send("reliableOrdered", fromHex("6869"));
      client.connection.send("unreliableOrdered", fromHex("aa55"));
      server.connection.send("unreliableUnordered", fromHex("01"));
    }
    for (const end of ends) {
      end.connection.handleTimeout(now);
      for (;;) {
        const length = end.connection.fillPayload(slot, 0, 1200, end.next, now);
        if (length === 0) break;
        const bytes = slot.slice(0, length);
        said.push(`${end.role} ${now} ${end.next} ${toHex(bytes)}`);
        end.flights.push({ at: now + 10, packetNumber: end.next++, bytes });
      }
    }
  }
  assert.deepEqual(said, behind(start));
});
