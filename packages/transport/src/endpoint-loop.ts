/**
 * The driver around one protocol endpoint: carriers below, the endpoint above, one timer.
 *
 * A wake-up goes one way: a batch comes from a carrier, is classified, opened in place and received;
 * then timeouts, events, transmission until idle, sealing and sending, and the timer.
 */
import type { PacketProtection } from "@riposte/datapath";
import { NO_KEY, PacketBatch } from "@riposte/datapath";
import { createReceivedPacket, createTransmitSlot } from "@riposte/protocol";
import type { ReceivedPacket, TransmitSlot } from "@riposte/protocol";
import type { Endpoint, EndpointEvent } from "@riposte/protocol/endpoint";

export interface EndpointLoopOptions {
  readonly endpoint: Endpoint;
  readonly protection: PacketProtection;
  /** Of the slots that packets are written into. */
  readonly slotBytes: number;
  /** Sends a sealed batch; the loop reuses its slots afterwards unless this returns a fresh batch to use instead. */
  readonly transmit: (batch: PacketBatch) => PacketBatch;
  readonly deliver: (event: EndpointEvent) => void;
}

/** Room for the tag behind what the machine writes. */
const TAG_BYTES = 16;
/** Batches sent in one turn of the event loop; the rest goes in the next, after what has come in. */
const MAX_BATCHES_PER_TURN = 4;
/** setTimeout holds 31 bits; waking earlier is harmless. */
const MAX_TIMER_MS = 1_000_000;

export class EndpointLoop {
  readonly #endpoint: Endpoint;
  readonly #protection: PacketProtection;
  readonly #transmit: (batch: PacketBatch) => PacketBatch;
  readonly #deliver: (event: EndpointEvent) => void;
  #batch: PacketBatch;

  #busy = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #continuing: NodeJS.Immediate | undefined;

  readonly #packet: ReceivedPacket;
  readonly #slot: TransmitSlot;

  constructor(options: EndpointLoopOptions) {
    this.#endpoint = options.endpoint;
    this.#protection = options.protection;
    this.#transmit = options.transmit;
    this.#deliver = options.deliver;
    this.#batch = new PacketBatch(64, options.slotBytes);
    this.#packet = createReceivedPacket(this.#batch.buffer);
    this.#slot = createTransmitSlot(this.#batch.buffer);
  }

  /** Monotonic milliseconds: the clock of every machine under this loop. */
  now(): number {
    return performance.now();
  }

  /** Takes a batch of datagrams from a carrier through the whole wake-up. */
  receive(batch: PacketBatch): void {
    if (this.#stopped || this.#busy) return;
    const now = this.now();
    this.#busy = true;
    try {
      this.#process(batch, now);
    } finally {
      this.#busy = false;
    }
    this.wake(now);
  }

  /** Everything that is due now; called by the timer and by carriers that can send again. */
  wake(now: number = this.now()): void {
    if (this.#stopped || this.#busy) return;
    this.#busy = true;
    try {
      this.#endpoint.handleTimeout(now);
      this.#pollEvents();
      this.#pollTransmit(now);
      // What transmission brought about (a connection that closed) is told in the same turn.
      if (this.#pollEvents()) this.#pollTransmit(now);
    } finally {
      this.#busy = false;
      this.#arm(now);
    }
  }

  /** Sends what is queued, also what waits for others to share a packet with. Within a handler it goes at the end of the wake-up. */
  flush(): void {
    if (this.#stopped) return;
    this.#endpoint.flush();
    if (this.#busy) return;
    const now = this.now();
    this.#busy = true;
    try {
      this.#pollTransmit(now);
      if (this.#pollEvents()) this.#pollTransmit(now);
    } finally {
      this.#busy = false;
      this.#arm(now);
    }
  }

  /** More is to be sent than one turn takes: the rest follows in the next. */
  get continuing(): boolean {
    return this.#continuing !== undefined;
  }

  /** Ends the timer; nothing is received or sent any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#continuing);
  }

  #process(batch: PacketBatch, now: number): void {
    const endpoint = this.#endpoint;
    const packet = this.#packet;
    packet.buffer = batch.buffer;
    for (let i = 0; i < batch.count; i += 1) {
      packet.offset = batch.offset[i];
      packet.length = batch.length[i];
      packet.path = batch.path[i];
      packet.ecn = batch.ecn[i];
      packet.key = NO_KEY;
      packet.opened = false;
      endpoint.classify(packet);
      batch.key[i] = packet.key;
      if (packet.key === NO_KEY) continue;
      batch.packetNumber[i] = packet.packetNumber;
      batch.headerLength[i] = packet.headerLength;
      batch.aadLength[i] = packet.aadLength;
    }
    this.#protection.open(batch);
    for (let i = 0; i < batch.count; i += 1) {
      packet.buffer = batch.buffer;
      packet.offset = batch.offset[i];
      packet.length = batch.length[i];
      packet.path = batch.path[i];
      packet.ecn = batch.ecn[i];
      packet.key = batch.key[i];
      packet.packetNumber = batch.packetNumber[i];
      packet.headerLength = batch.headerLength[i];
      packet.aadLength = batch.aadLength[i];
      packet.opened = batch.opened[i] === 1;
      endpoint.receive(packet, now);
    }
  }

  #pollEvents(): boolean {
    let any = false;
    for (let event = this.#endpoint.pollEvent(); event !== undefined; event = this.#endpoint.pollEvent()) {
      any = true;
      this.#deliver(event);
    }
    return any;
  }

  #pollTransmit(now: number): void {
    const slot = this.#slot;
    let batch = this.#batch;
    for (let round = 0; ; round += 1) {
      if (round === MAX_BATCHES_PER_TURN) {
        this.#continueLater();
        break;
      }
      batch.count = 0;
      while (!batch.full) {
        const at = batch.count;
        slot.buffer = batch.buffer;
        slot.offset = at * batch.slotBytes;
        slot.capacity = batch.slotBytes;
        slot.ecn = 0;
        slot.key = NO_KEY;
        if (!this.#endpoint.pollTransmit(slot, now)) break;
        if (slot.length + TAG_BYTES > batch.slotBytes) throw new RangeError(`a datagram of ${slot.length} bytes`);
        batch.offset[at] = slot.offset;
        batch.length[at] = slot.length;
        batch.path[at] = slot.path;
        batch.ecn[at] = slot.ecn;
        batch.key[at] = slot.key;
        batch.packetNumber[at] = slot.packetNumber;
        batch.headerLength[at] = slot.headerLength;
        batch.aadLength[at] = slot.aadLength;
        batch.count = at + 1;
      }
      if (batch.count === 0) break;
      this.#protection.seal(batch);
      batch = this.#batch = this.#transmit(batch);
    }
  }

  #continueLater(): void {
    if (this.#continuing !== undefined) return;
    this.#continuing = setImmediate(() => {
      this.#continuing = undefined;
      this.wake();
    });
  }

  /** One timer; it is moved only to an earlier time, since waking early is harmless and setting a timer is not free. */
  #arm(now: number): void {
    if (this.#stopped) return;
    const next = this.#endpoint.nextTimeout();
    const dueAt = Math.min(Math.max(next, now + 1), now + MAX_TIMER_MS);
    // Not later by rounding than what the timer is set for: else the same deadline would set it again and again.
    if (dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = dueAt;
    this.#timer = setTimeout(this.#handleTimer, Math.ceil(dueAt - now));
  }

  readonly #handleTimer = (): void => {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.wake();
  };
}
