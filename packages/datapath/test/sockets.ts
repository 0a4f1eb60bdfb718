/** Sockets on the loopback interface for the datapath's tests. */
import assert from "node:assert/strict";
import { PacketBatch } from "../src/index.ts";
import type { AddressTable, Datapath, UdpSocket, UdpSocketOptions } from "../src/index.ts";

interface Extra extends Partial<Pick<UdpSocketOptions, "receiveQueuePackets" | "reusePort" | "port" | "bufferBytes">> {
  readonly drain?: boolean;
  /** Receives into a batch of the socket's own making, else into a small one. */
  readonly joined?: boolean;
}

export interface Opened {
  readonly socket: UdpSocket;
  readonly addresses: AddressTable;
  readonly received: readonly Received[];
  /** Resolves with the n-th datagram. */
  readonly got: (count: number) => Promise<void>;
  readonly wakes: () => number;
}

interface Received {
  readonly bytes: Uint8Array;
  readonly path: number;
  readonly ecn: number;
}

const opened: UdpSocket[] = [];

/** Closes what a test has opened: give it to `afterEach`. */
export function closeAll(): void {
  for (const socket of opened.splice(0)) socket.close();
}

/** A socket that collects what comes. */
export async function open(datapath: Datapath, host?: string, extra: Extra = {}): Promise<Opened> {
  const { drain = true, joined = false, ...options } = extra;
  const addresses = datapath.createAddressTable(64);
  const received: Received[] = [];
  let wakes = 0;
  let waiting: { count: number; resolve: () => void } | undefined;
  const socket: UdpSocket = await datapath.openUdpSocket({
    ...options,
    host,
    addresses,
    onReadable: () => {
      wakes += 1;
      if (!drain) return;
      const count = socket.receive(batch);
      for (let i = 0; i < count; i += 1) {
        const bytes = batch.buffer.slice(batch.offset[i], batch.offset[i] + batch.length[i]);
        received.push({ bytes, path: batch.path[i], ecn: batch.ecn[i] });
      }
      if (waiting !== undefined && received.length >= waiting.count) waiting.resolve();
    },
  });
  opened.push(socket);
  const batch = joined ? socket.createReceiveBatch() : new PacketBatch(4);
  const got = (count: number): Promise<void> =>
    received.length >= count ? Promise.resolve() : new Promise((resolve) => (waiting = { count, resolve }));
  return { socket, addresses, received, got, wakes: () => wakes };
}

/** One packet for each payload, all to one path. */
export function batchOf(path: number, payloads: readonly Uint8Array[]): PacketBatch {
  const largest = Math.max(2048, ...payloads.map((payload) => payload.length));
  const batch = new PacketBatch(64, largest);
  for (const payload of payloads) assert.ok(batch.append(payload, 0, payload.length, path));
  return batch;
}
