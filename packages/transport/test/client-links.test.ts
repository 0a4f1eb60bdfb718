/** A client that moves often keeps the sockets it uses, and nothing of the others. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { queryObjects } from "node:v8";
import { writeUserData } from "@riposte/protocol/netcode";
import { dialUdp } from "../src/index.ts";
import { UdpLink } from "../src/udp-link.ts";
import { SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";

const MOVES = 5;

afterEach(closeAll);

test("sockets that a session has left are given back, and it goes on by the newest", async () => {
  const { server, heard } = await serve();
  const token = tokenFor(server.port, 1, 5, writeUserData({}));
  const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: {} });
  for (let i = 0; i < MOVES; i++) await client.migrate();
  client.connection.send("reliableOrdered", Uint8Array.of(1));
  client.flush();
  await until(() => heard.messages.length === 1, "a message comes by the last one");
  // The first is kept for its counters; the path before the newest may be needed again for a while.
  await until(() => queryObjects(UdpLink, { format: "count" }) <= 3, `${MOVES + 1} sockets were opened`);
  await client.close();
});

test("a carrier that leads nowhere is closed, and a session that cannot move says so", async () => {
  const { server } = await serve({ extensions: { migration: false } });
  const token = tokenFor(server.port, 1, 5, writeUserData({}));
  const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: {} });
  let closed = 0;
  const carrier = {
    traits: { name: "memory", maxPayloadBytes: 1200, reliable: false } as const,
    writable: true,
    send: () => undefined,
    close: () => closed++,
    onDatagram: () => undefined,
    onWritable: () => undefined,
    onClose: () => undefined,
  };
  await assert.rejects(client.migrateTo(carrier), { code: "denied" });
  assert.equal(closed, 1);
  await client.close();
  assert.equal(closed, 1);
});
