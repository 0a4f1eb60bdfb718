/** The clients of the batching benchmark, in a process of their own: they count what comes, and how late. */
import { dialUdp } from "@riposte/transport";
import { nobleCrypto, generateConnectToken } from "@riposte/protocol/netcode";
import { CLIENTS, PRIVATE_KEY, PROTOCOL_ID, SCHEMA, clock } from "./shared.ts";

const port = Number(process.argv[2]);
const crypto = nobleCrypto((length) => globalThis.crypto.getRandomValues(new Uint8Array(length)));
const delays: number[] = [];
let measuring = false;

const clients = await Promise.all(
  Array.from({ length: CLIENTS }, (_, i) =>
    dialUdp({
      token: generateConnectToken({
        protocolId: PROTOCOL_ID,
        clientId: BigInt(i + 1),
        privateKey: PRIVATE_KEY,
        serverAddresses: [`127.0.0.1:${port}`],
        nowSeconds: Date.now() / 1000,
        crypto,
      }),
      schemaHash: SCHEMA,
      handlers: {
        message: (_connection, channel, buffer, offset) => {
          if (measuring && channel !== "unreliableOrdered")
            delays.push(clock() - new DataView(buffer.buffer, buffer.byteOffset).getFloat64(offset));
        },
      },
    }),
  ),
);
process.on("message", (message: string) => {
  if (message === "measure") {
    measuring = true;
    delays.length = 0;
  } else if (message === "report") process.send?.({ delays });
  else void Promise.all(clients.map((client) => client.close())).then(() => process.exit(0));
});
process.send?.("ready");
