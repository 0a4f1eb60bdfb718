/** Riposte's server process: answers messages; or ticks, with a packet to each client. With the argument "thread" its network has a thread. */
import { openDatapath } from "@riposte/datapath";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { MESSAGE_BYTES } from "./message.ts";
import { listenEcho } from "./riposte-echo.ts";

const TICK_MS = 1000 / 60;

/** What a game that is too heavy for its tick does: it blocks its thread for so long in every so many milliseconds. */
const BLOCK_MS = 30;
const BLOCK_EVERY_MS = 50;

const server = await listenEcho({ networkThread: process.argv[2] === "thread" });
const update = new Uint8Array(MESSAGE_BYTES);
let ticking: NodeJS.Timeout | undefined;
let blocking: NodeJS.Timeout | undefined;

await answerCommands(
  { port: server.port, datapath: openDatapath().name },
  {
    cpu: () => {
      const { packetsReceived, packetsSent } = server.stats.udp;
      return { cpuMicros: cpuMicros(), packets: packetsReceived + packetsSent };
    },
    tick: ([onOrOff]) => {
      clearInterval(ticking);
      if (onOrOff === "on") ticking = setInterval(tick, TICK_MS);
      return { clients: server.endpoint.clientCount };
    },
    block: ([onOrOff]) => {
      clearInterval(blocking);
      if (onOrOff === "on") blocking = setInterval(block, BLOCK_EVERY_MS);
      return {};
    },
  },
);

function block(): void {
  const end = performance.now() + BLOCK_MS;
  while (performance.now() < end);
}

function tick(): void {
  for (const connection of server.endpoint.connections) connection.send("unreliableUnordered", update);
  server.flush();
}
