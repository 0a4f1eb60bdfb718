/** The server process of plain `ws`, the WebSocket library of most Node servers. */
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { BulkAnswers, WISH_BULK, wishOf } from "./message.ts";

const bulk = new BulkAnswers();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    socket.send(wishOf(data, 0) === WISH_BULK ? bulk.to(data, 0) : data);
  });
});
await once(server, "listening");

await answerCommands({ port: (server.address() as AddressInfo).port }, { cpu: () => ({ cpuMicros: cpuMicros() }) });
