/**
 * A program, not a test: fires hostile datagrams at a port of this machine, evenly, from many
 * sockets. Arguments: port, count, datagrams a second.
 */
import { createSocket } from "node:dgram";
import { Random } from "@riposte/protocol";
import { NETCODE_VERSION_INFO } from "@riposte/protocol/netcode";

const [port, count, perSecond] = process.argv.slice(2).map(Number);
const random = new Random(99);
const sockets = Array.from({ length: 16 }, () => createSocket("udp4"));
const variants = Array.from({ length: 512 }, (_, i) => hostile(i));

let sent = 0;
const start = performance.now();
const timer = setInterval(() => {
  const due = Math.min(count, Math.floor(((performance.now() - start) / 1000) * perSecond));
  for (; sent < due; sent += 1) {
    sockets[sent % sockets.length].send(variants[random.int(variants.length)], port, "127.0.0.1");
  }
  if (sent < count) return;
  clearInterval(timer);
  for (const socket of sockets) socket.close();
}, 2);

/** Noise; noise behind each packet type's first byte; requests with forged tokens; stumps of all these; oversized. */
function hostile(i: number): Uint8Array {
  const kind = i % 8;
  if (kind === 0) return random.bytes(1 + random.int(1400));
  if (kind === 1) return forgedRequest();
  if (kind === 2) return forgedRequest().subarray(0, random.int(1078));
  if (kind === 3) return typed(3, 8, 308);
  if (kind === 4) return typed(4, 1 + random.int(8), 8 + random.int(20));
  if (kind === 5) return typed(6, 1 + random.int(8), 16);
  if (kind === 6) return random.bytes(2049 + random.int(6000));
  return typed(5, 1 + random.int(8), 17 + random.int(1200));
}

/** netcode's prefix byte (type, length of the sequence number), then noise. */
function typed(type: number, sequenceBytes: number, length: number): Uint8Array {
  const bytes = random.bytes(1 + sequenceBytes + length);
  bytes[0] = type | (sequenceBytes << 4);
  return bytes;
}

/** Well-formed up to the sealed part, for this protocol id and far from expiry: the server has to try its key. */
function forgedRequest(): Uint8Array {
  const bytes = random.bytes(1078);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0;
  bytes.set(NETCODE_VERSION_INFO, 1);
  view.setBigUint64(14, 0x1234_5678_9abc_def0n, true);
  view.setBigUint64(22, BigInt(Math.floor(Date.now() / 1000) + 3600), true);
  return bytes;
}
