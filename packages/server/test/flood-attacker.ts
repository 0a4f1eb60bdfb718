/**
 * A program, not a test: an attacker on the path of one player. It relays that player's datagrams and,
 * when told to, fires hostile ones at the server, from the player's own address and from others, and
 * hostile frames over WebSockets. Then it says how many it has fired.
 */

import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { Random } from "@riposte/protocol";
import { NETCODE_VERSION_INFO } from "@riposte/protocol/netcode";

/** What the test tells this program. */
export interface AttackTask {
  readonly serverPort: number;
  readonly protocolId: bigint | string;
  readonly datagrams: number;
  readonly datagramsPerSec: number;
  readonly framesPerSec: number;
  readonly seed: number;
}

/** What it has done. */
export interface AttackReport {
  readonly datagrams: number;
  readonly frames: number;
  /** How long that took: longer than asked for when the machine did not let it. */
  readonly seconds: number;
  /** Connections it opened: WebSockets, and TCP connections that become none. */
  readonly sockets: number;
}

const BURST_MS = 2;
/** Datagrams of the player and the server that are remembered: the first ones, and some of the rest. */
const RECORDED_FIRST = 16;
const RECORDED = 128;
const WEBSOCKETS = 8;
/** A larger message closes its socket, as text and an empty one do. */
const LARGEST_MESSAGE = 1232;

const task = JSON.parse(process.argv[2] ?? "") as AttackTask;
const protocolId = BigInt(task.protocolId);
const random = new Random(task.seed);

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", sendBufferSize: 4 << 20 });
  socket.on("error", () => undefined);
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

const front = await bound();
const back = await bound();
const sources = [back, ...(await Promise.all(Array.from({ length: 15 }, bound)))];
const fromPlayer: Buffer[] = [];
const fromServer: Buffer[] = [];
let player = 0;

front.on("message", (datagram, from) => {
  player = from.port;
  record(fromPlayer, datagram);
  back.send(datagram, task.serverPort, "127.0.0.1");
});
back.on("message", (datagram) => {
  record(fromServer, datagram);
  if (player !== 0) front.send(datagram, player, "127.0.0.1");
});

/** The handshake is kept; of what follows a random choice. */
function record(list: Buffer[], datagram: Buffer): void {
  if (list.length < RECORDED) list.push(datagram);
  else list[RECORDED_FIRST + random.int(RECORDED - RECORDED_FIRST)] = datagram;
}

function pick(list: readonly Buffer[]): Buffer {
  return list[random.int(list.length)];
}

/** netcode's prefix byte (type, length of the sequence number), then noise. */
function typed(type: number, sequenceBytes: number, length: number): Buffer {
  const bytes = Buffer.from(random.bytes(1 + sequenceBytes + length));
  bytes[0] = type | (sequenceBytes << 4);
  return bytes;
}

/** Well-formed up to the sealed part and far from expiry: the server has to try its key. */
function forgedRequest(): Buffer {
  const bytes = Buffer.from(random.bytes(1078));
  bytes[0] = 0;
  bytes.set(NETCODE_VERSION_INFO, 1);
  bytes.writeBigUInt64LE(protocolId, 14);
  bytes.writeBigUInt64LE(BigInt(Math.floor(Date.now() / 1000) + 3600), 22);
  return bytes;
}

const MADE_UP: readonly Buffer[] = Array.from({ length: 1024 }, (_, i) => {
  switch (i % 8) {
    case 0:
      return Buffer.from(random.bytes(1 + random.int(1400)));
    case 1:
      return forgedRequest();
    case 2:
      return forgedRequest().subarray(0, random.int(1078));
    case 3:
      return typed(3, 8, 308);
    case 4:
      return typed(4, 1 + random.int(8), 8 + random.int(20));
    case 5:
      return typed(6, 1 + random.int(8), 16);
    case 6:
      return Buffer.from(random.bytes(1400 + random.int(6000)));
    default:
      return typed(5, 1 + random.int(8), 17 + random.int(1200));
  }
});

/** One made up, or one seen before: as it was, cut, with a bit flipped, of another type, or with something behind it. */
function hostile(): Buffer {
  const kind = random.int(10);
  if (kind < 4) return pick(MADE_UP);
  const known = pick(random.int(4) === 0 ? fromServer : fromPlayer);
  switch (kind) {
    case 4:
    case 5:
      return known;
    case 6:
      return known.subarray(0, random.int(known.length));
    case 7: {
      const copy = Buffer.from(known);
      copy[random.int(copy.length)] ^= 1 << random.int(8);
      return copy;
    }
    case 8: {
      const copy = Buffer.from(known);
      copy[0] = random.int(256);
      return copy;
    }
    default:
      return Buffer.concat([known, pick(MADE_UP).subarray(0, 1 + random.int(200))]);
  }
}

/** Sockets that are nobody's: WebSockets that send frames of every kind until they are closed, and TCP connections that send noise. */
class FrameAttack {
  frames = 0;
  sockets = 0;
  #over = false;
  readonly #open: Set<WebSocket> = new Set();

  fire(frames: number): void {
    while (this.#open.size < WEBSOCKETS) this.#dial();
    for (const socket of this.#open) {
      if (this.frames >= frames) return;
      if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > 65_536) continue;
      this.frames++;
      const kind = random.int(200);
      // These end the socket; the next one comes at once.
      if (kind === 0) socket.send("text");
      else if (kind === 1) socket.send(random.bytes(1 + LARGEST_MESSAGE + random.int(5000)) as Uint8Array<ArrayBuffer>);
      else socket.send(Uint8Array.from(hostile().subarray(0, LARGEST_MESSAGE)));
    }
  }

  /** A TCP connection that sends a piece of a request, or a frame that is none, and goes. */
  noise(): void {
    this.sockets++;
    const socket = connectTcp(task.serverPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.setTimeout(500, () => socket.destroy());
    switch (random.int(3)) {
      case 0:
        socket.write(random.bytes(1 + random.int(2000)));
        return;
      case 1:
        socket.write("POST /riposte/join HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{");
        return;
      default:
        socket.write(
          "GET /riposte HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        );
        socket.once("data", () => socket.write(random.bytes(1 + random.int(2000))));
    }
  }

  end(): void {
    this.#over = true;
    for (const socket of this.#open) socket.close();
  }

  #dial(): void {
    this.sockets++;
    const socket = new WebSocket(`ws://127.0.0.1:${task.serverPort}/riposte`);
    this.#open.add(socket);
    socket.addEventListener("error", () => undefined);
    socket.addEventListener("close", () => setTimeout(() => this.#open.delete(socket), this.#over ? 0 : 20));
  }
}

function fire(): void {
  let datagrams = 0;
  let bursts = 0;
  const frameAttack = new FrameAttack();
  const begun = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - begun) / 1000;
    const due = Math.min(task.datagrams, seconds * task.datagramsPerSec);
    for (; datagrams < due; datagrams++) {
      sources[datagrams % sources.length].send(hostile(), task.serverPort, "127.0.0.1");
    }
    frameAttack.fire(seconds * task.framesPerSec);
    if (bursts++ % 10 === 0) frameAttack.noise();
    // The player hears again what the server said, too.
    if (fromServer.length > 0) front.send(pick(fromServer), player, "127.0.0.1");
    if (datagrams < task.datagrams) return;
    clearInterval(timer);
    frameAttack.end();
    const { frames, sockets } = frameAttack;
    const report: AttackReport = { datagrams, frames, sockets, seconds };
    process.send?.(report);
  }, BURST_MS);
}

process.on("message", fire);
process.on("disconnect", () => process.exit());
process.send?.(front.address().port);
