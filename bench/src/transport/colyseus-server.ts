/** The server process of Colyseus: a room that sends bytes back. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Room, Server } from "@colyseus/core";
import type { Client } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { answerCommands, cpuMicros } from "./command-loop.ts";

class EchoRoom extends Room {
  override onCreate(): void {
    this.onMessageBytes("echo", (client: Client, bytes: Uint8Array) => client.sendBytes("echo", bytes));
  }
}

const http = createServer();
const server = new Server({ transport: new WebSocketTransport({ server: http }), greet: false });
server.define("echo", EchoRoom);
await server.listen(0, "127.0.0.1");

await answerCommands({ port: (http.address() as AddressInfo).port }, { cpu: () => ({ cpuMicros: cpuMicros() }) });
