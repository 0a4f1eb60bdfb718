/**
 * Run by native-allocation.test.ts: prints what V8 allocated while 100,000 packets went round, in a young
 * generation so large that nothing is collected meanwhile. Every sample counts the `memoryUsage` object that
 * measures it.
 */
import { PacketBatch } from "../../src/index.ts";
import { loadNativeDatapath } from "../../src/native/native-datapath.ts";

const BATCH = 64;
const datapath = loadNativeDatapath();
const addresses = datapath.createAddressTable(16);
let wake = (): void => {};
const from = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => {} });
const to = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => wake() });
const path = addresses.intern("127.0.0.1", to.port);
addresses.retain(path);
const protection = datapath.createPacketProtection();
const key = protection.addKey(new Uint8Array(16), new Uint8Array(21), { cipher: "aes-128-gcm" });
const outgoing = new PacketBatch(BATCH);
const incoming = to.createReceiveBatch();

let opened = 0;

function sendBatch(): void {
  for (let slot = 0; slot < BATCH; slot += 1) {
    outgoing.offset[slot] = slot * outgoing.slotBytes;
    outgoing.length[slot] = 100;
    outgoing.path[slot] = path;
    outgoing.key[slot] = key;
    outgoing.packetNumber[slot] = slot;
    outgoing.headerLength[slot] = 9;
    outgoing.aadLength[slot] = 1;
  }
  outgoing.count = BATCH;
  protection.seal(outgoing);
  from.send(outgoing);
}

function receiveBatch(): void {
  const count = to.receive(incoming);
  for (let slot = 0; slot < count; slot += 1) {
    incoming.key[slot] = key;
    incoming.packetNumber[slot] = slot;
    incoming.headerLength[slot] = 9;
    incoming.aadLength[slot] = 1;
  }
  protection.open(incoming);
  for (let slot = 0; slot < count; slot += 1) opened += incoming.opened[slot];
}

function round(batches: number): void {
  for (let i = 0; i < batches; i += 1) {
    sendBatch();
    receiveBatch();
  }
}

const BATCHES = Math.ceil(100_000 / BATCH);
const SAMPLES = 6;

/** Bytes of heap, boxed doubles among them, for each run of `BATCHES` batches. */
function sample(): number[] {
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i += 1) {
    const before = process.memoryUsage().heapUsed;
    round(BATCHES);
    samples.push(process.memoryUsage().heapUsed - before);
  }
  return samples;
}

// Until everything is compiled.
for (let i = 0; i < 5; i += 1) round(BATCHES);
const bytes = sample();
// The same batches, each in its own turn of the event loop, woken by the socket.
const wakeups = await sampleWakeups();
from.close();
to.close();
console.log(JSON.stringify({ packets: BATCHES * BATCH, opened, batches: BATCHES, bytes, wakeups }));

async function sampleWakeups(): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = BATCHES;
    wake = () => {
      receiveBatch();
      left -= 1;
      if (left === 0) resolve();
      else sendBatch();
    };
    const before = process.memoryUsage().heapUsed;
    sendBatch();
    await promise;
    samples.push(process.memoryUsage().heapUsed - before);
  }
  return samples;
}
