/** Closing: everybody is told, nothing lingers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { closeAll, join, serve, until } from "./fixture.ts";

afterEach(closeAll);

test("a closing server tells more clients than fit one turn of the event loop", async () => {
  const { server } = await serve({ maxClients: 64 });
  const clients = await Promise.all(Array.from({ length: 48 }, (_, i) => join(server.port, i + 1)));
  await server.close();
  await until(() => clients.every(({ heard }) => heard.ended.length === 1), "every client hears it", 2000);
  for (const { heard } of clients) assert.equal(heard.ended[0].error?.code, "closedByPeer");
});

test("a refused upgrade leaves no half-open connection behind", async () => {
  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const { server } = await serve({ http, webSocket: { maxUnadmitted: 0 } });
  // It never closes its own half.
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  socket.resume();
  socket.write(
    "GET /riposte HTTP/1.1\r\nHost: game\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await once(socket, "end");
  assert.equal(server.stats.webSocket?.refused, 1);
  let open = -1;
  const count = (): boolean => {
    http.getConnections((_error, found) => void (open = found));
    return open === 0;
  };
  try {
    await until(count, "the server lets go of it", 1000);
  } finally {
    socket.destroy();
    http.close();
  }
});
