/**
 * A UDP socket whose send queue is full. The batch that met it is kept and leaves first; what comes after waits in its
 * connection, reliable messages until there is room, unreliable ones until they are stale. Nobody spins meanwhile.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { Connection } from "@riposte/protocol/channel";
import { Recorder } from "../../testkit/src/index.ts";
import { dialUdp } from "../src/index.ts";
import { SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";
import { Gate } from "./gated-datapath.ts";

afterEach(closeAll);

/** Longer than `unreliableMaxAgeMs`. */
const BLOCKED_MS = 400;
/** An endpoint asks again after so long. */
const RETRY_MS = 5;
/** Keep-alives of a session go out, or do not, whatever the queue says. */
const KEEP_ALIVE_MS = 100;

async function checkBlocked(gate: Gate, connection: Connection, flush: () => void, heard: Recorder): Promise<void> {
  const { stats } = connection;
  gate.shut();
  const begun = performance.now();
  connection.send("unreliableUnordered", Uint8Array.from(Buffer.from("kept")));
  flush();
  assert.equal(gate.sends, 1);
  assert.equal(stats.unreliableQueuedBytes, 0, "it is in the batch that the socket holds");
  // Each of these would overwrite the kept packet if its slot were used again.
  for (let i = 0; i < 5; i += 1) connection.send("unreliableUnordered", Uint8Array.from(Buffer.from("stale")));
  connection.send("reliableOrdered", Uint8Array.from(Buffer.from("reliable")));
  flush();
  await until(() => performance.now() - begun > BLOCKED_MS, "time passes");
  const elapsed = performance.now() - begun;
  assert.ok(gate.sends <= 2 + elapsed / KEEP_ALIVE_MS, `${gate.sends} batches for a full socket in ${elapsed} ms`);
  assert.ok(gate.asked <= 20 + (2 * elapsed) / RETRY_MS, `asked ${gate.asked} times in ${elapsed} ms`);
  // Their age counts from the first wake-up after `send`, which may come late on a busy machine.
  await until(() => stats.droppedStale === 5, "they are dropped as stale");
  assert.equal(stats.reliableQueuedBytes, 1 + "reliable".length);
  assert.equal(heard.messages.length, 0);
  gate.open();
  await until(() => heard.messages.length === 2, "the rest arrives");
  assert.deepEqual(
    heard.messages.map(({ bytes }) => Buffer.from(bytes).toString()),
    ["kept", "reliable"],
  );
  await until(() => stats.reliableQueuedBytes === 0, "acknowledged");
}

test("server: a full UDP send queue", async () => {
  const gate = new Gate();
  const { server, heard } = await serve({ datapath: gate.datapath() });
  const clientHeard = new Recorder();
  const client = await dialUdp({ token: tokenFor(server.port, 1, 30), schemaHash: SCHEMA, handlers: clientHeard });
  await until(() => heard.opened.length === 1, "connected");
  await checkBlocked(gate, heard.opened[0], () => server.flush(), clientHeard);
  await client.close();
});

test("client: a full UDP send queue", async () => {
  const gate = new Gate();
  const { server, heard } = await serve();
  const client = await dialUdp({
    token: tokenFor(server.port, 1, 30),
    schemaHash: SCHEMA,
    handlers: {},
    datapath: gate.datapath(),
  });
  await until(() => heard.opened.length === 1, "connected");
  await checkBlocked(gate, client.connection, () => client.flush(), heard);
  await client.close();
});
