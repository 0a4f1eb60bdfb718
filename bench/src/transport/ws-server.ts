/** The server process of `ws`, the WebSocket library of most Node servers; over TLS when told so. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { BulkAnswers, WISH_BULK, wishOf } from "./message.ts";
import { TLS } from "./ws-tls.ts";

const bulk = new BulkAnswers();
const http = process.argv[2] === "tls" ? createTlsServer({ ...TLS, pskCallback: () => TLS.psk }) : createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    socket.send(wishOf(data, 0) === WISH_BULK ? bulk.to(data, 0) : data);
  });
});
http.listen(0, "127.0.0.1");
await once(http, "listening");

await answerCommands({ port: (http.address() as AddressInfo).port }, { cpu: () => ({ cpuMicros: cpuMicros() }) });
