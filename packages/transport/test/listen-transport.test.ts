import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { PortInUseError, dialUdp } from "../src/index.ts";
import { SCHEMA, closeAll, join, serve, tokenFor, until } from "./fixture.ts";

afterEach(closeAll);

test("UDP and WebSocket share one port number", async () => {
  const { server } = await serve();
  assert.ok(server.port > 0);
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  assert.equal(response.status, 404);
  const { client } = await join(server.port, 1);
  assert.equal(client.connection.state, "open");
  await client.close();
  await server.close();
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/`));
});

test("an HTTP server that listens already lends its port, and stays open", async () => {
  const http = createServer((_request, response) => response.end("the game's page"));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const { server } = await serve({ http });
  assert.equal(server.port, port);
  await server.close();
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "the game's page");
  http.close();
  http.closeAllConnections();
});

test("a port in use is a clear error, on either protocol", async () => {
  const taken = createSocket("udp4");
  taken.bind(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address();
  const expected = { name: "PortInUseError", code: "EADDRINUSE", port, message: `UDP port ${port} is in use` };
  await assert.rejects(serve({ port, http: false }), expected);
  await assert.rejects(serve({ port }), expected);
  taken.close();

  const http = createServer();
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const tcpPort = (http.address() as AddressInfo).port;
  await assert.rejects(
    serve({ port: tcpPort }),
    (error) => error instanceof PortInUseError && error.protocol === "tcp" && error.port === tcpPort,
  );
  http.close();
});

test("aborting the signal closes the server; an aborted one opens nothing", async () => {
  const controller = new AbortController();
  const { server } = await serve({ signal: controller.signal });
  controller.abort();
  await server.closed;
  await assert.rejects(serve({ signal: controller.signal }), { name: "AbortError" });
  await using disposed = (await serve()).server;
  assert.ok(disposed.port > 0);
});

test("simulated conditions apply live in both directions, and packets under way still arrive", async () => {
  const { server, heard } = await serve();
  const { client, heard: clientHeard } = await join(server.port, 1);
  await until(() => heard.opened.length === 1, "connected");
  heard.onMessage = ({ connection, bytes }) => connection.send("unreliableUnordered", bytes);
  const roundTrip = async (): Promise<number> => {
    const start = performance.now();
    const before = clientHeard.messages.length;
    client.connection.send("unreliableUnordered", Uint8Array.of(1));
    client.flush();
    await until(() => clientHeard.messages.length > before, "the echo");
    return performance.now() - start;
  };
  server.simulate({ latencyMs: 60 });
  assert.ok((await roundTrip()) >= 120);
  client.simulate({ latencyMs: 40 });
  assert.ok((await roundTrip()) >= 200);
  client.connection.send("unreliableUnordered", Uint8Array.of(2));
  client.flush();
  server.simulate(undefined);
  client.simulate(undefined);
  const count = clientHeard.messages.length;
  await until(() => clientHeard.messages.length > count, "the packet under way");
  await client.close();
  await server.close();
});

test("simulation is refused where it is disabled", async () => {
  const { server } = await serve({ allowSimulation: false });
  assert.throws(() => server.simulate({ latencyMs: 1 }), /allowSimulation/);
  server.simulate(undefined);
  await assert.rejects(
    dialUdp({
      token: tokenFor(server.port, 1),
      schemaHash: SCHEMA,
      handlers: {},
      simulate: { latencyMs: 1 },
      allowSimulation: false,
    }),
    /allowSimulation/,
  );
  await server.close();
});

test("no token, no dial; nobody there, a timeout", async () => {
  await assert.rejects(dialUdp({ token: new Uint8Array(7), schemaHash: SCHEMA, handlers: {} }), RangeError);
  const { server } = await serve();
  const token = tokenFor(server.port, 1, 1);
  await server.close();
  await assert.rejects(dialUdp({ token, schemaHash: SCHEMA, handlers: {} }), {
    name: "NetworkError",
    code: "timedOut",
  });
});
