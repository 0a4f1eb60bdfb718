/** Who observes a server's connections hears of them before its handlers do. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { Connection } from "@riposte/protocol/channel";
import { Recorder } from "../../testkit/src/index.ts";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { dialUdp } from "../src/index.ts";
import type { ConnectionObserver, TransportHandlers } from "../src/index.ts";
import { SCHEMA, closeAll, join, serve, tokenFor, until } from "./fixture.ts";

afterEach(closeAll);

/** Writes down who was told what, in order. */
function recorder(who: string, told: string[]): ConnectionObserver {
  return {
    admitted: () => told.push(`${who} admitted`),
    connected: () => told.push(`${who} connected`),
    closing: () => told.push(`${who} closing`),
    disconnected: () => told.push(`${who} disconnected`),
    rejected: (_connection, error) => told.push(`${who} rejected ${error.code}`),
  };
}

test("observers are told first, of everything, until they have heard enough", async () => {
  const told: string[] = [];
  const { server } = await serve({ handlers: recorder("handlers", told) });
  const stop = server.observe(recorder("observer", told));
  const { client } = await join(server.port, 1);
  await until(() => told.includes("handlers connected"), "connected");
  const [connection] = server.endpoint.connections;
  connection.close();
  server.flush();
  await client.closed;
  const order = ["admitted", "connected", "closing", "disconnected"];
  await until(() => told.includes("handlers disconnected"), "disconnected");
  assert.deepEqual(
    told,
    order.flatMap((what) => [`observer ${what}`, `handlers ${what}`]),
  );
  told.length = 0;
  stop();
  const other = SCHEMA.toReversed();
  await assert.rejects(dialUdp({ token: tokenFor(server.port, 2), schemaHash: other, handlers: {} }), {
    code: "schemaMismatch",
  });
  await until(() => told.includes("handlers rejected schemaMismatch"), "rejected");
  assert.ok(told.every((what) => what.startsWith("handlers")));
});

test("a first message that comes with the end of the handshake does not overtake `connected`", async () => {
  const told: string[] = [];
  const handlers: TransportHandlers = { ...recorder("handlers", told), message: () => told.push("message") };
  const { server } = await serve({ handlers });
  const { client } = await join(server.port, 1);
  client.connection.send("reliableOrdered", Uint8Array.of(1));
  client.flush();
  await until(() => told.includes("message"), "the message");
  assert.ok(told.indexOf("handlers connected") < told.indexOf("message"));
  assert.equal(told.filter((what) => what.endsWith("connected")).length, 1);
});

test("addresses are those that packets come from, on both carriers", async () => {
  const { server } = await serve();
  const addresses = (): string[] => Array.from(server.endpoint.connections, (each) => server.addressOf(each));
  await join(server.port, 1);
  await until(() => addresses().length === 1, "the first");
  assert.match(addresses()[0], /^127\.0\.0\.1:\d+$/);
  const url = `ws://127.0.0.1:${server.port}/riposte`;
  const webSocket = await dialWebSocket({
    token: tokenFor(server.port, 2),
    schemaHash: SCHEMA,
    handlers: new Recorder(),
    url,
  });
  await until(() => addresses().length === 2, "the second");
  const [first, second] = server.endpoint.connections as Iterable<Connection>;
  assert.equal(server.addressOf(second), "127.0.0.1");
  await webSocket.close();
  server.endpoint.disconnect(first);
  server.flush();
  await until(() => addresses().length === 0, "both are gone");
  assert.equal(server.addressOf(first), "");
});
