import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, test } from "node:test";
import { WebSocket } from "ws";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { Recorder } from "../../testkit/src/index.ts";
import { networkOf } from "../src/websocket-listener.ts";
import { SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";
import { dialThroughLine } from "./line.ts";

function openSocket(port: number, path = "/riposte"): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  socket.on("error", () => {});
  return socket;
}

async function upgradeStatus(port: number, path?: string): Promise<number> {
  const socket = openSocket(port, path);
  const [, response] = await once(socket, "unexpected-response");
  return (response as { statusCode: number }).statusCode;
}

async function dial(port: number, clientId: number, heard: Recorder) {
  return dialWebSocket({
    url: `ws://127.0.0.1:${port}/riposte`,
    token: tokenFor(port, clientId),
    schemaHash: SCHEMA,
    handlers: heard,
  });
}

afterEach(closeAll);

test("sockets that prove nothing are few for each address, and closed in time", async () => {
  const { server } = await serve({ webSocket: { maxUnadmittedPerAddress: 2, admissionTimeoutMs: 400 } });
  const sockets = [openSocket(server.port), openSocket(server.port)];
  const closed = sockets.map((socket) => once(socket, "close"));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  assert.equal(await upgradeStatus(server.port), 429);
  assert.deepEqual([server.stats.webSocket?.unadmitted, server.stats.webSocket?.refused], [2, 1]);
  await Promise.all(closed);
  assert.equal(server.stats.webSocket?.admissionTimedOut, 2);
  await until(() => server.stats.webSocket?.unadmitted === 0, "the server counts none");
  // The seats are free again, and an admitted socket does not count, however old it is.
  const heard = new Recorder();
  const clients = [
    await dial(server.port, 1, heard),
    await dial(server.port, 2, heard),
    await dial(server.port, 3, heard),
  ];
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(server.stats.webSocket?.open, 3);
  assert.equal(server.stats.webSocket?.unadmitted, 0);
  assert.equal(heard.ended.length, 0);
  await Promise.all(clients.map((client) => client.close()));
  await until(() => server.stats.webSocket?.open === 0, "all sockets are gone");
  await server.close();
});

test("the caps count by the address that the caller names", async () => {
  const { server } = await serve({
    webSocket: { maxUnadmittedPerAddress: 1 },
    addressOf: (request) => request.url?.split("?")[1] ?? "",
  });
  const sockets = ["10.0.0.1", "10.0.0.2"].map((address) => openSocket(server.port, `/riposte?${address}`));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  assert.equal(await upgradeStatus(server.port, "/riposte?10.0.0.1"), 429);
  await server.close();
});

test("all sockets together are bounded, and elsewhere there is nothing", async () => {
  const { server } = await serve({ webSocket: { maxSockets: 1 } });
  const first = openSocket(server.port);
  await once(first, "open");
  assert.equal(await upgradeStatus(server.port), 503);
  assert.equal(await upgradeStatus(server.port, "/other"), 404);
  first.close();
  await until(() => server.stats.webSocket?.open === 0, "the socket is gone");
  const second = openSocket(server.port, "/riposte?room=1");
  await once(second, "open");
  second.terminate();
  await server.close();
});

test("text, oversized and broken frames close the socket that sent them", async () => {
  const { server } = await serve();
  const text = openSocket(server.port);
  await once(text, "open");
  text.send("hello");
  assert.equal((await once(text, "close"))[0], 1003);
  const large = openSocket(server.port);
  await once(large, "open");
  large.send(new Uint8Array(1301));
  assert.equal((await once(large, "close"))[0], 1009);
  const broken = openSocket(server.port);
  await once(broken, "open");
  rawStream(broken).write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff));
  assert.equal((await once(broken, "close"))[0], 1002);
  assert.equal(server.stats.webSocket?.malformed, 3);
  await server.close();
});

test("a client that vanishes ends its connection at once", async () => {
  const { server, heard } = await serve();
  const { line } = await dialThroughLine(server.port, new Recorder());
  await until(() => heard.opened.length === 1, "connected");
  line.cut();
  await until(() => heard.ended.length === 1, "the server notices", 1000);
  assert.equal(heard.ended[0].error?.code, "carrierFailed");
  await server.close();
});

test("the caps count IPv4 addresses, and IPv6 addresses by their /64 network", () => {
  assert.equal(networkOf("::ffff:10.1.2.3"), "10.1.2.3");
  assert.equal(networkOf("10.1.2.3"), "10.1.2.3");
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8::9"), networkOf("2001:db8::a:0:0:9"));
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
});

function rawStream(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket;
}
