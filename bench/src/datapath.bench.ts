/**
 * One packet through the datapath, in both its forms, in one run, alternating: 64 bytes over the loopback interface,
 * to one peer (where the kernel joins packets) and to 64 peers (where it cannot), and packet protection at 64
 * and 1,200 bytes under each cipher. Figures are medians of rounds; ratios are portable to native.
 */
import { PacketBatch, openDatapath } from "@riposte/datapath";
import type { AddressTable, CipherName, Datapath, UdpSocket } from "@riposte/datapath";
import { portableDatapath } from "../../packages/datapath/src/portable/portable-datapath.ts";
import type { Bench } from "./bench.ts";
import { median } from "./statistics.ts";

const PACKET_BYTES = 64;
const BATCH = 64;
const PEERS = 64;
const ROUNDS = 21;
const BATCHES_PER_ROUND = 40;
const SEALS_PER_ROUND = 30;
const CIPHERS: readonly CipherName[] = ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"];
const HEADER_BYTES = 9;
const TARGETS = {
  send_us_per_packet: 0.9,
  recv_us_per_packet: 0.3,
  seal_us_64_aes_128: 0.67,
  seal_us_1200_aes_128: 1.15,
};

export const bench: Bench = async (note) => {
  const native = openDatapath();
  const forms = native.name === "native" ? [native, portableDatapath] : [portableDatapath];
  const figures: Record<string, number> = { native: native.name === "native" ? 1 : 0 };
  for (const peers of [1, PEERS]) {
    const samples = await alternate(forms, peers);
    for (const [i, form] of forms.entries()) {
      const where = peers === 1 ? "" : `_${peers}_peers`;
      figures[`${prefixOf(form)}send_us_per_packet${where}`] = median(samples[i].send);
      figures[`${prefixOf(form)}recv_us_per_packet${where}`] = median(samples[i].receive);
    }
    note(`${peers} peers done`);
  }
  for (const cipher of CIPHERS) {
    for (const bytes of [64, 1200]) {
      const lines = forms.map(() => ({ seal: [] as number[], open: [] as number[] }));
      const runs = forms.map((form) => openProtection(form, cipher, bytes));
      for (let round = 0; round < ROUNDS; round += 1) for (const [i, run] of runs.entries()) run(lines[i]);
      for (const [i, form] of forms.entries()) {
        figures[`${prefixOf(form)}seal_us_${bytes}_${label(cipher)}`] = median(lines[i].seal);
        figures[`${prefixOf(form)}open_us_${bytes}_${label(cipher)}`] = median(lines[i].open);
      }
    }
    note(`${cipher} done`);
  }
  for (const key of Object.keys(figures)) {
    const portable = figures[`portable_${key}`];
    if (portable !== undefined) figures[`${key}_ratio`] = portable / figures[key];
  }
  return { figures, targets: native.name === "native" ? TARGETS : {} };
};

interface Line {
  readonly send: number[];
  readonly receive: number[];
}

/** A round's cost of one packet each way, in microseconds. */
interface Rig {
  round(line: Line): Promise<void>;
  close(): void;
}

async function alternate(forms: readonly Datapath[], peers: number): Promise<Line[]> {
  const rigs = await Promise.all(forms.map((form) => openRig(form, peers)));
  const lines = rigs.map((): Line => ({ send: [], receive: [] }));
  for (const rig of rigs) await rig.round({ send: [], receive: [] });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [i, rig] of rigs.entries()) await rig.round(lines[i]);
  }
  for (const rig of rigs) rig.close();
  return lines;
}

/** A server's socket, which is measured, and those of its peers, which are not. */
async function openRig(form: Datapath, peers: number): Promise<Rig> {
  let missing = 0;
  let arrived = Promise.withResolvers<void>();
  const addresses = form.createAddressTable(2 * PEERS);
  const open = async (): Promise<UdpSocket> => {
    const socket = await form.openUdpSocket({
      host: "127.0.0.1",
      addresses,
      onReadable: () => {
        missing -= socket.receive(received);
        if (missing === 0) arrived.resolve();
      },
    });
    const received = socket.createReceiveBatch();
    return socket;
  };
  const server = await open();
  const clients: UdpSocket[] = [];
  for (let i = 0; i < peers; i += 1) clients.push(await open());
  const toClients = batchTo(addresses, clients, BATCH);
  const toServer = batchTo(addresses, [server], BATCH / peers);
  const expect = (): void => {
    missing = BATCH;
    arrived = Promise.withResolvers();
  };
  return {
    async round(line) {
      let sending = 0;
      let receiving = 0;
      for (let i = 0; i < BATCHES_PER_ROUND; i += 1) {
        expect();
        let start = performance.now();
        if (server.send(toClients) !== BATCH) throw new Error("the kernel did not take a batch");
        sending += performance.now() - start;
        await arrived.promise;
        expect();
        for (const client of clients) client.send(toServer);
        start = performance.now();
        await arrived.promise;
        // The turn of the event loop, the system call, the callback.
        receiving += performance.now() - start;
      }
      line.send.push((sending * 1000) / (BATCH * BATCHES_PER_ROUND));
      line.receive.push((receiving * 1000) / (BATCH * BATCHES_PER_ROUND));
    },
    close() {
      for (const socket of [server, ...clients]) socket.close();
    },
  };
}

function batchTo(addresses: AddressTable, sockets: readonly UdpSocket[], packets: number): PacketBatch {
  const batch = new PacketBatch(packets);
  for (let i = 0; i < packets; i += 1) {
    const path = addresses.intern("127.0.0.1", sockets[i % sockets.length].port);
    addresses.retain(path);
    batch.append(new Uint8Array(PACKET_BYTES), 0, PACKET_BYTES, path);
  }
  return batch;
}

function openProtection(
  form: Datapath,
  cipher: CipherName,
  bytes: number,
): (line: { readonly seal: number[]; readonly open: number[] }) => void {
  const protection = form.createPacketProtection();
  const key = protection.addKey(new Uint8Array(cipher === "aes-128-gcm" ? 16 : 32), new Uint8Array(21), { cipher });
  const batch = new PacketBatch(BATCH);
  const packet = new Uint8Array(HEADER_BYTES + bytes);
  let packetNumber = 0;
  return (line) => {
    let sealing = 0;
    let opening = 0;
    for (let i = 0; i < SEALS_PER_ROUND; i += 1) {
      batch.count = 0;
      for (let slot = 0; slot < BATCH; slot += 1) {
        batch.append(packet, 0, packet.length, 0);
        batch.key[slot] = key;
        batch.packetNumber[slot] = packetNumber++;
        batch.headerLength[slot] = HEADER_BYTES;
        batch.aadLength[slot] = 1;
      }
      const start = performance.now();
      protection.seal(batch);
      const sealed = performance.now();
      batch.key.fill(key);
      const before = performance.now();
      protection.open(batch);
      opening += performance.now() - before;
      sealing += sealed - start;
      if (batch.length[BATCH - 1] !== packet.length || batch.opened[BATCH - 1] !== 1)
        throw new Error("a packet did not open");
    }
    line.seal.push((sealing * 1000) / (BATCH * SEALS_PER_ROUND));
    line.open.push((opening * 1000) / (BATCH * SEALS_PER_ROUND));
  };
}

function label(cipher: CipherName): string {
  return cipher === "chacha20-poly1305" ? "chacha20" : cipher.replaceAll("-", "_").replace("_gcm", "");
}

function prefixOf(form: Datapath): string {
  return form.name === "native" ? "" : "portable_";
}
