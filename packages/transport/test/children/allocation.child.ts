/**
 * Run by allocation.test.ts: a server and a client in one process, over a real socket, each answering the other with one
 * message of a game's size in a packet. Prints what V8 allocated per packet, sampled.
 */
import { Session } from "node:inspector";
import { openDatapath } from "@riposte/datapath";
import type { Connection } from "@riposte/protocol/channel";
import { dialUdp, listenTransport } from "../../src/index.ts";
import { PRIVATE_KEY, PROTOCOL_ID, SCHEMA, tokenFor } from "../fixture.ts";

const SNAPSHOT_BYTES = 400;
const INPUT_BYTES = 60;
const UNDER_WAY = 4;
const PACKETS = 100_000;
const SAMPLING_INTERVAL_BYTES = 256;
/** V8 reports a sampled object of this size as so many bytes: as often as it takes for one of them to be sampled. */
const sampled = (bytes: number): number => bytes * Math.round(1 / (1 - Math.exp(-bytes / SAMPLING_INTERVAL_BYTES)));
/** A heap number: map and value. No other object is as small. */
const BOXED_DOUBLE = sampled(16);

/** What the inspector's own types leave out. */
interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children: readonly Node[];
}
interface Profile {
  readonly head: Node;
  readonly samples: readonly { readonly size: number; readonly nodeId: number }[];
}

const snapshot = new Uint8Array(SNAPSHOT_BYTES);
const input = new Uint8Array(INPUT_BYTES);

const server = await listenTransport({
  host: "127.0.0.1",
  protocolId: PROTOCOL_ID,
  privateKey: PRIVATE_KEY,
  maxClients: 1,
  schemaHash: SCHEMA,
  http: false,
  handlers: {
    message: (connection: Connection) => {
      connection.send("unreliableOrdered", snapshot);
    },
  },
});
const client = await dialUdp({
  token: tokenFor(server.port, 1, 60),
  schemaHash: SCHEMA,
  handlers: {
    message: (connection: Connection) => {
      connection.send("unreliableUnordered", input);
    },
  },
});

/** Lets them answer each other until so many packets have gone, both ways together. */
async function exchange(packets: number): Promise<number> {
  const { udp } = server.stats;
  const sent = (): number => udp.packetsSent + udp.packetsReceived;
  const first = sent();
  while (sent() - first < packets) {
    const before = sent();
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (sent() !== before) continue;
    // Not begun yet, or a packet got lost.
    for (let i = 0; i < UNDER_WAY; i++) {
      client.connection.send("unreliableUnordered", input);
      client.flush();
    }
  }
  return sent() - first;
}

const inspector = new Session();
inspector.connect();
await exchange(2 * PACKETS);
inspector.post("HeapProfiler.startSampling", {
  samplingInterval: SAMPLING_INTERVAL_BYTES,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
});
const packets = await exchange(PACKETS);
const profile = await new Promise<Profile>((resolve, reject) => {
  inspector.post("HeapProfiler.stopSampling", (error, result) => {
    if (error === null) resolve(result.profile as unknown as Profile);
    else reject(error);
  });
});
let boxed = 0;
let objects = 0;
const byPlace = new Map<string, number>();
(function visit(node: Node): void {
  const { functionName, url, lineNumber } = node.callFrame;
  const place = `${functionName} ${url.slice(url.lastIndexOf("/") + 1)}:${lineNumber + 1}`;
  for (const { size, nodeId } of profile.samples) {
    if (nodeId !== node.id) continue;
    if (size === BOXED_DOUBLE) boxed += size;
    else {
      objects += size;
      byPlace.set(place, (byPlace.get(place) ?? 0) + size);
    }
  }
  for (const child of node.children) visit(child);
})(profile.head);
const places = [...byPlace].toSorted((a, b) => b[1] - a[1]).slice(0, 8);
console.log(
  JSON.stringify({
    datapath: openDatapath().name,
    packets,
    boxedBytesPerPacket: boxed / packets,
    objectBytesPerPacket: objects / packets,
    places: places.map(([place, size]) => `${(size / packets).toFixed(1)} ${place}`),
  }),
);
await client.close();
await server.close();
process.exit(0);
