import type { MessagePort } from "node:worker_threads";
import type { AddressTable, PacketBatch } from "@riposte/datapath";
import { threadOfPacket } from "@riposte/protocol/netcode";
import type { SharedAdmission } from "@riposte/protocol/netcode";
import type { ServerTransport, SharedPort } from "../server-transport.ts";
import { copyBytes } from "@riposte/datapath";
import { LaneReader, LaneWriter } from "./message-lane.ts";
import type { LaneMemory } from "./message-lane.ts";
import { DATAGRAM } from "./records.ts";

/** What a thread needs of another: the way there and back, and what wakes it. */
export interface SiblingStart {
  readonly to: LaneMemory;
  readonly from: LaneMemory;
  readonly port: MessagePort;
}

/** Before a datagram: its length of the address, port, ECN bits; then the address. */
const HEADER_BYTES = 4;
const MAX_HOST_BYTES = 64;
const MAX_DATAGRAM_BYTES = 9216;

interface Sibling {
  readonly writer: LaneWriter;
  readonly reader: LaneReader;
  readonly port: MessagePort;
}

/**
 * The other network threads of a server. The kernel chooses a socket by the client's address, so a client whose address
 * has changed may come to another thread than before; its packets name the thread that has its session, and go there.
 */
export class SiblingThreads implements SharedPort {
  readonly admission: SharedAdmission;
  /** Datagrams that were passed on. */
  passedOn = 0;
  readonly #siblings: readonly (Sibling | undefined)[];
  readonly #bytes: Uint8Array = new Uint8Array(HEADER_BYTES + MAX_HOST_BYTES + MAX_DATAGRAM_BYTES);
  #scheduled = false;

  /** `starts`: by thread; undefined at this one's place. */
  constructor(admission: SharedAdmission, starts: readonly (SiblingStart | undefined)[]) {
    this.admission = admission;
    this.#siblings = starts.map(
      (start) =>
        start && {
          writer: new LaneWriter(start.to, start.port),
          reader: new LaneReader(start.from, start.port),
          port: start.port,
        },
    );
  }

  passOn(batch: PacketBatch, index: number, addresses: AddressTable): boolean {
    const { buffer } = batch;
    const offset = batch.offset[index];
    const length = batch.length[index];
    const thread = threadOfPacket(buffer, offset, length);
    const sibling = thread < 0 ? undefined : this.#siblings[thread];
    if (sibling === undefined || length > MAX_DATAGRAM_BYTES) return false;
    const path = batch.path[index];
    const host = addresses.host(path);
    const port = addresses.port(path);
    const bytes = this.#bytes;
    bytes[0] = host.length;
    bytes[1] = port & 255;
    bytes[2] = port >>> 8;
    bytes[3] = batch.ecn[index];
    for (let i = 0; i < host.length; i++) bytes[HEADER_BYTES + i] = host.charCodeAt(i);
    copyBytes(buffer, offset, length, bytes, HEADER_BYTES + host.length);
    sibling.writer.writeDatagram(DATAGRAM, 0, bytes, 0, HEADER_BYTES + host.length + length);
    this.passedOn++;
    this.#schedule();
    return true;
  }

  /** Hears from the others from now on. */
  listen(transport: ServerTransport): void {
    for (const sibling of this.#siblings) {
      if (sibling === undefined) continue;
      const read = (): void => {
        this.#read(sibling.reader, transport);
        if (!sibling.reader.sleep()) setImmediate(read);
      };
      sibling.port.on("message", read);
      read();
    }
  }

  close(): void {
    for (const sibling of this.#siblings) sibling?.port.close();
  }

  #read(reader: LaneReader, transport: ServerTransport): void {
    reader.begin();
    while (reader.next()) {
      const { buffer, offset, length } = reader.record;
      const hostLength = buffer[offset];
      let host = "";
      for (let i = 0; i < hostLength; i++) host += String.fromCharCode(buffer[offset + HEADER_BYTES + i]);
      const port = buffer[offset + 1] | (buffer[offset + 2] << 8);
      const start = offset + HEADER_BYTES + hostLength;
      transport.takeForwarded(host, port, buffer, start, length - HEADER_BYTES - hostLength, buffer[offset + 3]);
    }
    transport.receiveForwarded();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const sibling of this.#siblings) if (sibling?.writer.publish() === true) sibling.port.postMessage(0);
    });
  }
}
