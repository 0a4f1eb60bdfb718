import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, test } from "node:test";
import { WebSocket } from "ws";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { Recorder } from "../../testkit/src/index.ts";
import type { ServerTransport } from "../src/index.ts";
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

/** What a server has counted: where a frame of a stranger's may end. */
function counts(server: ServerTransport): Record<string, number> {
  const { webSocket, drops } = server.stats;
  assert.ok(webSocket !== undefined);
  const { packetsReceived, receiveOverflowed, malformed } = webSocket;
  return { packetsReceived, receiveOverflowed, malformed, dropped: drops.total };
}

/** `MAX_WEBSOCKET_BYTES`. */
const LARGEST = 1232;
/** What is no datagram, and the code that the socket is closed with. */
const hostileFrames: readonly (readonly [string, number, (socket: WebSocket) => void])[] = [
  ["text", 1003, (socket) => socket.send("hello")],
  ["an empty text", 1003, (socket) => socket.send("")],
  ["an empty message", 1003, (socket) => socket.send(new Uint8Array(0))],
  ["an oversized message", 1009, (socket) => socket.send(new Uint8Array(LARGEST + 1))],
  [
    "a frame that announces 2^62 bytes",
    1009,
    (socket) => rawStream(socket).write(Buffer.from("82ff4000000000000000", "hex")),
  ],
  ["a frame that is not masked", 1002, (socket) => rawStream(socket).write(Buffer.from("820101", "hex"))],
  ["a broken frame", 1002, (socket) => rawStream(socket).write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff))],
];

for (const [name, code, send] of hostileFrames) {
  test(`${name} closes the socket that sent it, and counts once, as malformed`, async () => {
    const { server } = await serve();
    const socket = openSocket(server.port);
    await once(socket, "open");
    send(socket);
    // What comes behind it on the same socket is not looked at.
    if (socket.readyState === socket.OPEN) send(socket);
    assert.equal((await once(socket, "close"))[0], code);
    assert.deepEqual(counts(server), { packetsReceived: 0, receiveOverflowed: 0, malformed: 1, dropped: 0 });
    await server.close();
  });
}

test("a binary message of garbage is received and dropped, once, by its reason, and its socket stays open", async () => {
  const { server } = await serve();
  const socket = openSocket(server.port);
  await once(socket, "open");
  const request = new Uint8Array(1078);
  const frames = [
    Uint8Array.of(7),
    new Uint8Array(LARGEST).fill(0xff),
    request,
    Uint8Array.of(5 | (8 << 4), ...new Uint8Array(40)),
  ];
  for (const [i, frame] of frames.entries()) {
    socket.send(frame);
    await until(() => server.stats.drops.total === i + 1, `frame ${i} is dropped`);
    assert.deepEqual(counts(server), { packetsReceived: i + 1, receiveOverflowed: 0, malformed: 0, dropped: i + 1 });
  }
  assert.equal(socket.readyState, socket.OPEN);
  socket.terminate();
  await server.close();
});

test("what comes faster than it is read is counted as overflowed, and nothing twice", async () => {
  const count = 300;
  const { server } = await serve({ webSocket: { maxUnadmitted: count, maxUnadmittedPerAddress: count } });
  const sockets = Array.from({ length: count }, () => openSocket(server.port));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  // Each turn of the event loop takes one message of each socket, and reads 128.
  const each = 60;
  for (const socket of sockets) for (let i = 0; i < each; i += 1) socket.send(Uint8Array.of(7));
  const seen = (): number => {
    const { packetsReceived, receiveOverflowed } = counts(server);
    return packetsReceived + receiveOverflowed;
  };
  await until(() => seen() >= count * each, "all are counted", 20_000);
  await until(() => counts(server).dropped === counts(server).packetsReceived, "what was received is dropped");
  assert.equal(seen(), count * each);
  assert.ok(counts(server).receiveOverflowed > 0, "none overflowed");
  assert.equal(counts(server).malformed, 0);
  for (const socket of sockets) socket.terminate();
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
