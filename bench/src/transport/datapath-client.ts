/**
 * The sending process of the bare datapath: bursts, each when the last is answered; single packets, the same way; and
 * the ciphers.
 */
import { PacketBatch, openDatapath } from "@riposte/datapath";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { BURST, PACKET_BYTES } from "./datapath-shared.ts";

/** A burst of which a packet got lost is never answered: the next goes after this. */
const PATIENCE_MS = 20;
/** netcode's associated data that is not in the packet, and what is. */
const AAD_PREFIX_BYTES = 21;
const HEADER_BYTES = 9;

const datapath = openDatapath();
const addresses = datapath.createAddressTable();
const burst = new PacketBatch(BURST);
const bytes = new Uint8Array(PACKET_BYTES);
const protection = datapath.createPacketProtection();
const keys = {
  chacha20: protection.addKey(new Uint8Array(32).fill(1), new Uint8Array(AAD_PREFIX_BYTES)),
  aes: protection.addKey(new Uint8Array(32).fill(2), new Uint8Array(AAD_PREFIX_BYTES), { cipher: "aes-256-gcm" }),
};
let packetsAtOnce = BURST;
let sending = false;

const socket = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: receive });
const received = socket.createReceiveBatch();
const path = addresses.intern("127.0.0.1", Number(process.argv[2]));
addresses.retain(path);

await answerCommands(
  {},
  {
    send: async ([durationMs]) => await send(BURST, Number(durationMs)),
    single: async ([durationMs]) => await send(1, Number(durationMs)),
    seal: ([size, cipher]) => seal(Number(size), keys[cipher as keyof typeof keys]),
  },
);

async function send(packets: number, durationMs: number): Promise<object> {
  packetsAtOnce = packets;
  const before = cpuMicros();
  const packetsBefore = socket.stats.packetsSent;
  sending = true;
  sendBurst();
  const impatient = setInterval(sendBurst, PATIENCE_MS);
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  clearInterval(impatient);
  sending = false;
  // What is under way arrives.
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  return { cpuMicros: cpuMicros() - before, packets: socket.stats.packetsSent - packetsBefore };
}

function receive(): void {
  while (socket.receive(received) > 0) if (sending) sendBurst();
}

function sendBurst(): void {
  burst.count = 0;
  while (burst.count < packetsAtOnce) burst.append(bytes, 0, PACKET_BYTES, path);
  socket.send(burst);
}

/** CPU time of sealing a payload, in batches. */
function seal(payloadBytes: number, key: number): object {
  const batches = 40;
  const before = cpuMicros();
  for (let i = 0; i < batches; i++) {
    burst.count = BURST;
    for (let slot = 0; slot < BURST; slot++) {
      burst.offset[slot] = slot * burst.slotBytes;
      burst.length[slot] = HEADER_BYTES + payloadBytes;
      burst.headerLength[slot] = HEADER_BYTES;
      burst.aadLength[slot] = 1;
      burst.packetNumber[slot] = i * BURST + slot;
      burst.key[slot] = key;
    }
    protection.seal(burst);
  }
  return { cpuMicros: cpuMicros() - before, packets: batches * BURST };
}
