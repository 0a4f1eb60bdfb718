/** A client in a thread of its own: sends numbered reliable messages as fast as it may, and shows how many bytes were acknowledged. */
import { workerData } from "node:worker_threads";
import { dialUdp } from "../../src/index.ts";
import { SCHEMA } from "../fixture.ts";

const { token, count, length, shown } = workerData as {
  token: Uint8Array;
  count: number;
  length: number;
  shown: SharedArrayBuffer;
};
const acknowledged = new Int32Array(shown);
let next = 0;
const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: { drained: send } });
const { connection } = client;

function send(): void {
  const bytes = new Uint8Array(length);
  while (next < count) {
    new DataView(bytes.buffer).setUint32(0, next);
    if (connection.send("reliableOrdered", bytes) !== "queued") break;
    next++;
  }
  client.flush();
}

send();
setInterval(() => {
  const { bytesSent, queuedBytes } = connection.stats.of("reliableOrdered");
  Atomics.store(acknowledged, 0, bytesSent - queuedBytes);
  Atomics.notify(acknowledged, 0);
}, 2);
