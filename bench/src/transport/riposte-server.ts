/** Riposte's server process: answers messages; or ticks, with a packet to each client. */
import { openDatapath } from "@riposte/datapath";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { MESSAGE_BYTES } from "./message.ts";
import { listenEcho } from "./riposte-echo.ts";

const TICK_MS = 1000 / 60;

const server = await listenEcho();
const update = new Uint8Array(MESSAGE_BYTES);
let ticking: NodeJS.Timeout | undefined;

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
  },
);

function tick(): void {
  for (const connection of server.endpoint.connections) connection.send("unreliableUnordered", update);
  server.flush();
}
