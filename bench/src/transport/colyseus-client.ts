/** The client process of Colyseus. */
import { answerCommands } from "./command-loop.ts";
import { BROKEN_AFTER_MS, EchoWindow } from "./echo-window.ts";

// The SDK takes `ws` where the runtime has no WebSocket, and Node's own is the slower one.
Reflect.deleteProperty(globalThis, "WebSocket");
const { Client } = await import("@colyseus/sdk");

const room = await new Client(`ws://127.0.0.1:${process.argv[2]}`).joinOrCreate("echo");
const window = new EchoWindow((message) => room.sendBytes("echo", message));
room.onMessage("echo", (bytes: Uint8Array) => window.handle(bytes, 0, bytes.length));

await answerCommands(
  {},
  {
    echo: async ([messages, durationMs]) => await window.echo(Number(messages), Number(durationMs), BROKEN_AFTER_MS),
  },
);
