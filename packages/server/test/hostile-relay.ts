/**
 * An attacker on the path of one player, in a process of its own: relays the player's datagrams and
 * fires hostile ones at the server, from the player's own address and from others. Fires when it is told
 * to, and answers when it has.
 */

import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { Random } from "@riposte/protocol";

/** What the test tells this process. */
export interface RelayTask {
  readonly serverPort: number;
  readonly count: number;
  readonly perSecond: number;
  readonly seed: number;
}

const BURST_MS = 5;
const RECORDED = 128;
const task = JSON.parse(process.argv[2] ?? "") as RelayTask;
const random = new Random(task.seed);

async function bound(port = 0): Promise<Socket> {
  const socket = createSocket({ type: "udp4", sendBufferSize: 4 << 20 });
  socket.on("error", () => undefined);
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

const front = await bound();
const back = await bound();
const sources = [back, await bound(), await bound(), await bound()];
const recorded: Buffer[] = [];
let player = 0;

front.on("message", (datagram, from) => {
  player = from.port;
  recorded[random.int(RECORDED)] = datagram;
  back.send(datagram, task.serverPort, "127.0.0.1");
});
back.on("message", (datagram) => {
  recorded[random.int(RECORDED)] = datagram;
  front.send(datagram, player, "127.0.0.1");
});

function garbage(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = random.int(256);
  return bytes;
}

/** A datagram seen before, changed or not, or one made up. */
function hostile(): Buffer {
  const known = recorded[random.int(RECORDED)];
  if (known === undefined || known.length === 0) return garbage(random.int(1400));
  switch (random.int(7)) {
    case 0: // replayed
      return known;
    case 1: // truncated
      return known.subarray(0, random.int(known.length));
    case 2: {
      // one bit flipped
      const copy = Buffer.from(known);
      copy[random.int(copy.length)] ^= 1 << random.int(8);
      return copy;
    }
    case 3: {
      // another packet type or sequence length
      const copy = Buffer.from(known);
      copy[0] = random.int(256);
      return copy;
    }
    case 4: // with something behind it
      return Buffer.concat([known, garbage(random.int(200))]);
    case 5: // oversized
      return garbage(1400 + random.int(7000));
    default: {
      // a plausible header and nonsense behind it
      const copy = garbage(9 + random.int(300));
      copy[0] = 0x10 | random.int(7);
      return copy;
    }
  }
}

process.send?.(front.address().port);
process.on("message", () => {
  let fired = 0;
  const begun = performance.now();
  const timer = setInterval(() => {
    const due = Math.min(task.count, ((performance.now() - begun) / 1000) * task.perSecond);
    while (fired < due) sources[fired++ & 3].send(hostile(), task.serverPort, "127.0.0.1");
    if (fired < task.count) return;
    clearInterval(timer);
    process.send?.(fired);
  }, BURST_MS);
});
process.on("disconnect", () => process.exit());
