/** Riposte's client process: one client that keeps a window of messages under way, or many that send once a tick. */
import { nodeCrypto } from "@riposte/datapath";
import type { Channel } from "@riposte/protocol/channel";
import { generateConnectToken } from "@riposte/protocol/netcode";
import { dialUdp } from "@riposte/transport";
import type { ClientTransport, TransportHandlers } from "@riposte/transport";
import { answerCommands } from "./command-loop.ts";
import { EchoWindow } from "./echo-window.ts";
import {
  BULK_BYTES,
  BULK_WINDOW,
  MESSAGE_BYTES,
  WISH_BULK,
  WISH_ECHO,
  WISH_LONE_ECHO,
  WISH_NOTHING,
  writeMessage,
} from "./message.ts";
import { LoneSender, PRIVATE_KEY, PROTOCOL_ID, SCHEMA_HASH, TICK_MS } from "./riposte-shared.ts";

const LOST_AFTER_MS = 300;
/** For what is sent again by itself, a message is lost when something is broken. */
const BROKEN_AFTER_MS = 5000;

type Mode = "unreliable" | "reliable" | "unbatched";

const port = Number(process.argv[2]);
let lastClientId = 0;
let channel: Channel = "unreliableUnordered";
let unbatched = false;

const window = new EchoWindow(
  (message) => {
    if (unbatched) lone.send(client.connection, channel, message, 0);
    else client.connection.send(channel, message);
  },
  () => client.flush(),
);
const lone = new LoneSender(() => client.flush());
const client = await dial({
  message: (_connection, _channel, buffer, offset, length) => window.handle(buffer, offset, length),
});

let peers: readonly ClientTransport[] = [];
let ticking: NodeJS.Timeout | undefined;
const input = new Uint8Array(MESSAGE_BYTES);
writeMessage(input, 0, 0, WISH_NOTHING);

await answerCommands(
  {},
  {
    echo: async ([messages, durationMs, mode]) => await echo(Number(messages), Number(durationMs), mode as Mode),
    bulk: async ([durationMs]) => {
      channel = "reliableOrdered";
      unbatched = false;
      return await window.run({
        window: BULK_WINDOW,
        durationMs: Number(durationMs),
        wish: WISH_BULK,
        answerBytes: BULK_BYTES,
        lostAfterMs: BROKEN_AFTER_MS,
      });
    },
    // The client of the window is one of them.
    join: async ([count]) => {
      peers = [client, ...(await Promise.all(Array.from({ length: Number(count) - 1 }, () => dial({}))))];
      ticking = setInterval(tick, TICK_MS);
      return {};
    },
    leave: async () => {
      clearInterval(ticking);
      await Promise.all(peers.slice(1).map((peer) => peer.close()));
      return {};
    },
  },
);

async function echo(messages: number, durationMs: number, mode: Mode): Promise<object> {
  channel = mode === "reliable" ? "reliableOrdered" : "unreliableUnordered";
  unbatched = mode === "unbatched";
  return await window.run({
    window: messages,
    durationMs,
    wish: unbatched ? WISH_LONE_ECHO : WISH_ECHO,
    answerBytes: MESSAGE_BYTES,
    lostAfterMs: mode === "reliable" ? BROKEN_AFTER_MS : LOST_AFTER_MS,
  });
}

function tick(): void {
  for (const peer of peers) {
    peer.connection.send("unreliableUnordered", input);
    peer.flush();
  }
}

async function dial(handlers: TransportHandlers): Promise<ClientTransport> {
  const token = generateConnectToken({
    protocolId: PROTOCOL_ID,
    clientId: BigInt(++lastClientId),
    privateKey: PRIVATE_KEY,
    serverAddresses: [`127.0.0.1:${port}`],
    timeoutSeconds: 10,
    nowSeconds: Date.now() / 1000,
    crypto: nodeCrypto(),
  });
  return await dialUdp({ token, schemaHash: SCHEMA_HASH, handlers });
}
