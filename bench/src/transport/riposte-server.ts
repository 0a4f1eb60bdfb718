/** Riposte's server process: answers messages on the channel they came on; or ticks, with a packet to each client. */
import { openDatapath } from "@riposte/datapath";
import { listenTransport } from "@riposte/transport";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { BULK_BYTES, BulkAnswers, MESSAGE_BYTES, WISH_BULK, WISH_ECHO, WISH_LONE_ECHO, wishOf } from "./message.ts";
import { LoneSender, MAX_CLIENTS, PRIVATE_KEY, PROTOCOL_ID, SCHEMA_HASH, TICK_MS } from "./riposte-shared.ts";

const bulk = new BulkAnswers();
const update = new Uint8Array(MESSAGE_BYTES);
let ticking: NodeJS.Timeout | undefined;

const server = await listenTransport({
  host: "127.0.0.1",
  protocolId: PROTOCOL_ID,
  privateKey: PRIVATE_KEY,
  maxClients: MAX_CLIENTS,
  schemaHash: SCHEMA_HASH,
  http: false,
  handlers: {
    message: (connection, channel, buffer, offset, length) => {
      const wish = wishOf(buffer, offset);
      if (wish === WISH_ECHO) connection.send(channel, buffer, offset, length);
      else if (wish === WISH_LONE_ECHO) lone.send(connection, channel, buffer, offset);
      else if (wish === WISH_BULK) connection.send("reliableOrdered", bulk.to(buffer, offset), 0, BULK_BYTES);
    },
  },
});
const lone = new LoneSender(() => server.flush());

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
