/**
 * The driver around one protocol endpoint: carriers below, the endpoint above, one timer.
 *
 * A wake-up goes one way: a batch comes from a carrier, is classified, opened in place and received;
 * then timeouts, events, transmission until idle, sealing and sending, and the timer. With simulated
 * conditions, sealed datagrams wait in a simulator on their way in and out.
 */
import type { PacketProtection } from "@riposte/datapath";
import { NO_KEY, PacketBatch } from "@riposte/datapath";
import type { Machine, ReceivedPacket, TransmitSlot } from "@riposte/protocol";
import type { EndpointEvent } from "@riposte/protocol/endpoint";
import { NetworkConditionSimulator } from "@riposte/protocol/simulator";
import type { NetworkConditions } from "@riposte/protocol/simulator";

export interface EndpointLoopOptions {
  readonly endpoint: Machine<EndpointEvent>;
  readonly protection: PacketProtection;
  /** Sends a sealed batch; the loop reuses its slots afterwards unless this returns a fresh batch to use instead. */
  readonly transmit: (batch: PacketBatch) => PacketBatch;
  readonly deliver: (event: EndpointEvent) => void;
  readonly simulationSeed: number;
}

/** Room for the tag behind what the machine writes. */
const TAG_BYTES = 16;
/** Batches sent in one turn of the event loop; the rest goes in the next, after what has come in. */
const MAX_BATCHES_PER_TURN = 4;
/** setTimeout holds 31 bits; waking earlier is harmless. */
const MAX_TIMER_MS = 1_000_000;

export class EndpointLoop {
  readonly #endpoint: Machine<EndpointEvent>;
  readonly #protection: PacketProtection;
  readonly #transmit: (batch: PacketBatch) => PacketBatch;
  readonly #deliver: (event: EndpointEvent) => void;
  readonly #seed: number;
  #batch: PacketBatch = new PacketBatch();
  /** Reused for packets that leave the inbound simulator. */
  #arrived: PacketBatch | undefined;
  #inbound: NetworkConditionSimulator | undefined;
  #outbound: NetworkConditionSimulator | undefined;
  #simulating = false;

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
    this.#seed = options.simulationSeed;
    const { buffer } = this.#batch;
    this.#packet = {
      buffer,
      offset: 0,
      length: 0,
      path: 0,
      ecn: 0,
      key: NO_KEY,
      packetNumber: 0,
      headerLength: 0,
      aadLength: 0,
      opened: false,
    };
    this.#slot = {
      buffer,
      offset: 0,
      capacity: 0,
      length: 0,
      path: 0,
      ecn: 0,
      key: NO_KEY,
      packetNumber: 0,
      headerLength: 0,
      aadLength: 0,
    };
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
      const inbound = this.#inbound;
      if (inbound === undefined) {
        this.#process(batch, now);
      } else {
        for (let i = 0; i < batch.count; i += 1) {
          inbound.push(batch.buffer, batch.offset[i], batch.length[i], batch.path[i], now);
        }
      }
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
      if (this.#inbound !== undefined) this.#receiveSimulated(this.#inbound, now);
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

  /** Sends what is queued now. Within a handler nothing is to do: every wake-up ends with sending. */
  flush(): void {
    if (this.#stopped || this.#busy) return;
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

  /** Sets the conditions of both directions, or ends the simulation: what is under way arrives when it is due. */
  simulate(conditions: NetworkConditions | undefined): void {
    this.#simulating = conditions !== undefined;
    this.#inbound = this.#simulator(this.#inbound, conditions, this.#seed);
    this.#outbound = this.#simulator(this.#outbound, conditions, this.#seed + 1);
    this.wake();
  }

  /** More is to be sent than one turn takes: the rest follows in the next. */
  get continuing(): boolean {
    return this.#continuing !== undefined;
  }

  /** Packets that wait in the simulator of the way out. */
  get simulatedOutboundCount(): number {
    return this.#outbound?.count ?? 0;
  }

  /** Ends the timer; nothing is received or sent any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#continuing);
  }

  #simulator(
    simulator: NetworkConditionSimulator | undefined,
    conditions: NetworkConditions | undefined,
    seed: number,
  ): NetworkConditionSimulator | undefined {
    if (conditions === undefined) {
      if (simulator !== undefined) simulator.conditions = {};
      return simulator;
    }
    const result = simulator ?? new NetworkConditionSimulator({ seed });
    result.conditions = conditions;
    return result;
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

  #receiveSimulated(inbound: NetworkConditionSimulator, now: number): void {
    const batch = (this.#arrived ??= new PacketBatch());
    for (;;) {
      batch.count = 0;
      while (!batch.full) {
        const packet = inbound.pop(now);
        if (packet === undefined) break;
        batch.append(packet.buffer, packet.offset, packet.length, packet.path);
      }
      if (batch.count === 0) break;
      this.#process(batch, now);
    }
    if (!this.#simulating && inbound.count === 0) this.#inbound = undefined;
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
      const outbound = this.#outbound;
      if (outbound === undefined) {
        batch = this.#batch = this.#transmit(batch);
        continue;
      }
      for (let i = 0; i < batch.count; i += 1) {
        outbound.push(batch.buffer, batch.offset[i], batch.length[i], batch.path[i], now);
      }
    }
    if (this.#outbound !== undefined) this.#sendSimulated(this.#outbound, now);
  }

  #continueLater(): void {
    if (this.#continuing !== undefined) return;
    this.#continuing = setImmediate(() => {
      this.#continuing = undefined;
      this.wake();
    });
  }

  #sendSimulated(outbound: NetworkConditionSimulator, now: number): void {
    for (;;) {
      const batch = this.#batch;
      batch.count = 0;
      while (!batch.full) {
        const packet = outbound.pop(now);
        if (packet === undefined) break;
        batch.append(packet.buffer, packet.offset, packet.length, packet.path);
      }
      if (batch.count === 0) break;
      this.#batch = this.#transmit(batch);
    }
    if (!this.#simulating && outbound.count === 0) this.#outbound = undefined;
  }

  /** One timer; it is moved only to an earlier time, since waking early is harmless and setting a timer is not free. */
  #arm(now: number): void {
    if (this.#stopped) return;
    let next = this.#endpoint.nextTimeout();
    if (this.#inbound !== undefined) next = Math.min(next, this.#inbound.nextTimeout());
    if (this.#outbound !== undefined) next = Math.min(next, this.#outbound.nextTimeout());
    if (next >= this.#timerAt) return;
    clearTimeout(this.#timer);
    const delay = Math.min(Math.max(Math.ceil(next - now), 1), MAX_TIMER_MS);
    this.#timerAt = now + delay;
    this.#timer = setTimeout(this.#handleTimer, delay);
  }

  readonly #handleTimer = (): void => {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.wake();
  };
}
