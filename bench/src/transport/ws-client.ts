/** The client process of `ws`; over TLS when told so: `[tls] <port>`. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { answerCommands } from "./command-loop.ts";
import { BROKEN_AFTER_MS, EchoWindow } from "./echo-window.ts";
import { TLS } from "./ws-tls.ts";

const secure = process.argv[2] === "tls";
// The types of `ws` do not know all options that it passes on to node:tls.
const tlsOptions: object = {
  ...TLS,
  pskCallback: () => ({ psk: TLS.psk, identity: "bench" }),
  checkServerIdentity: () => undefined,
};
const socket = new WebSocket(`${secure ? "wss" : "ws"}://127.0.0.1:${process.argv.at(-1)}`, {
  perMessageDeflate: false,
  ...(secure && tlsOptions),
});
const window = new EchoWindow((message) => socket.send(message));
socket.on("message", (data: Buffer) => window.handle(data, 0, data.length));
await once(socket, "open");

await answerCommands(
  {},
  {
    echo: async ([messages, durationMs]) => await window.echo(Number(messages), Number(durationMs), BROKEN_AFTER_MS),
    bulk: async ([durationMs]) => await window.bulk(Number(durationMs)),
  },
);
