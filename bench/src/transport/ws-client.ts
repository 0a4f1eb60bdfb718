/** The client process of plain `ws`. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { answerCommands } from "./command-loop.ts";
import { EchoWindow } from "./echo-window.ts";
import { BULK_BYTES, BULK_WINDOW, MESSAGE_BYTES, WISH_BULK, WISH_ECHO } from "./message.ts";

const BROKEN_AFTER_MS = 5000;

const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}`, { perMessageDeflate: false });
const window = new EchoWindow((message) => socket.send(message));
socket.on("message", (data: Buffer) => window.handle(data, 0, data.length));
await once(socket, "open");

await answerCommands(
  {},
  {
    echo: async ([messages, durationMs]) =>
      await window.run({
        window: Number(messages),
        durationMs: Number(durationMs),
        wish: WISH_ECHO,
        answerBytes: MESSAGE_BYTES,
        lostAfterMs: BROKEN_AFTER_MS,
      }),
    bulk: async ([durationMs]) =>
      await window.run({
        window: BULK_WINDOW,
        durationMs: Number(durationMs),
        wish: WISH_BULK,
        answerBytes: BULK_BYTES,
        lostAfterMs: BROKEN_AFTER_MS,
      }),
  },
);
