/** A worker that keeps the native datapath busy until it is terminated, wherever that meets it. */
import { parentPort } from "node:worker_threads";
import { PacketBatch } from "../../src/index.ts";
import { loadNativeDatapath } from "../../src/native/native-datapath.ts";

const datapath = loadNativeDatapath();
const addresses = datapath.createAddressTable(64);
const protection = datapath.createPacketProtection();
const key = protection.addKey(new Uint8Array(32), new Uint8Array(21));
const outgoing = new PacketBatch(64);
let received = 0;

const socket = await datapath.openUdpSocket({
  host: "127.0.0.1",
  addresses,
  onReadable: () => {
    const count = socket.receive(incoming);
    incoming.key.fill(key, 0, count);
    protection.open(incoming);
    received += count;
    if (received === count) parentPort?.postMessage("busy");
    fill();
  },
});
const incoming = socket.createReceiveBatch();
// Closed and half-open sockets are there as well when the end comes.
for (let i = 0; i < 3; i += 1) {
  const other = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => {} });
  if (i === 0) other.close();
}
fill();

function fill(): void {
  const path = addresses.intern("127.0.0.1", socket.port);
  outgoing.count = 0;
  for (let i = 0; i < 64; i += 1) {
    outgoing.append(new Uint8Array(100), 0, 100, path);
    outgoing.key[i] = key;
    outgoing.packetNumber[i] = i;
  }
  protection.seal(outgoing);
  socket.send(outgoing);
}
