/** Riposte's client process: one client that keeps a window of messages under way, or many that send once a tick. */
import type { ClientTransport } from "@riposte/transport";
import { AckDelay } from "./ack-delay.ts";
import { answerCommands } from "./command-loop.ts";
import { MESSAGE_BYTES, WISH_NOTHING, writeMessage } from "./message.ts";
import { EchoClient, dial } from "./riposte-echo.ts";

const TICK_MS = 1000 / 60;

const port = Number(process.argv[2]);
const client = await EchoClient.dial(port);
const ackDelay = new AckDelay(client.transport);
let peers: readonly ClientTransport[] = [];
let ticking: NodeJS.Timeout | undefined;
const input = new Uint8Array(MESSAGE_BYTES);
writeMessage(input, 0, 0, WISH_NOTHING);

await answerCommands(
  {},
  {
    ...client.commands,
    // The client of the window is one of them.
    join: async ([count]) => {
      const others = Array.from({ length: Number(count) - 1 }, () => dial(port, {}));
      peers = [client.transport, ...(await Promise.all(others))];
      ticking = setInterval(tick, TICK_MS);
      return {};
    },
    ackDelay: ([what, durationMs]) => {
      if (what === "measure") return ackDelay.measure(Number(durationMs));
      return what === "reset" ? ackDelay.reset() : ackDelay.quantiles();
    },
    leave: async () => {
      clearInterval(ticking);
      await Promise.all(peers.slice(1).map((peer) => peer.close()));
      return {};
    },
  },
);

function tick(): void {
  for (const peer of peers) {
    peer.connection.send("unreliableUnordered", input);
    peer.flush();
  }
}
