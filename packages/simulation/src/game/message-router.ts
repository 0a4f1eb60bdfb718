/**
 * Numbers, codes and dispatches typed messages and calls. Pure: answers come by callback, time
 * comes as an argument, bytes go into the peer's queue.
 *
 * Every peer has a bounded number of pending calls, each with a time limit. A malformed message,
 * an unknown number or an answer nobody waits for is dropped; the caller counts.
 */
import { BitReader, BitWriter, ByteReader, ByteWriter } from "@riposte/wire";
import { decodeFields, encodeFields } from "../state/index.ts";
import type { Fields, FieldsDefinition, Values } from "../state/index.ts";
import { MessageKind } from "./message-kind.ts";
import type { AnyMessage, CallDefinition, MessageDefinition } from "./message.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";

export type CallOutcome<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly reason: CallFailure };

export type CallFailure = "timedOut" | "refused" | "full" | "closed";

/** A call that came in; answer it once, now or later. */
export interface IncomingCall<A extends Fields> {
  /** Seat of the caller; -1 when the server calls. */
  readonly from: number;
  /**
   * False when it has been answered already, its session is over, or (try again) the queue is full. Throws `RangeError`
   * for an answer that takes more than 16 KiB; the call may still be answered otherwise.
   */
  reply(value: Values<A>): boolean;
  refuse(): boolean;
}

type MessageListener = (value: Values<Fields>, from: number) => void;
export type CallListener = (request: Values<Fields>, call: IncomingCall<Fields>) => void;
/** The same function may be subscribed twice. */
interface MessageSubscription {
  readonly listener: MessageListener;
}
type AnyReply = (outcome: CallOutcome<Values<Fields>>) => void;

interface PendingCall {
  readonly definition: CallDefinition<Fields, Fields>;
  readonly deadline: number;
  readonly done: AnyReply;
}

export interface MessageRouterOptions {
  /** Calls that may wait for an answer, per peer. Default 64. */
  readonly maxPendingCalls?: number;
  /** Default 10,000 ms. */
  readonly callTimeoutMs?: number;
}

/** One end of the other side: its queue, and the calls it has not answered. */
export class MessagePeer {
  readonly queue: OutgoingQueue;
  readonly pending: Map<number, PendingCall> = new Map();
  nextCallId = 1;
  /** Goes up when the peer is closed: what was asked before is answered to nobody. */
  session = 0;

  constructor(queue: OutgoingQueue = new OutgoingQueue()) {
    this.queue = queue;
  }

  /** Fails every pending call and empties the queue. */
  close(): void {
    this.session++;
    const pending = [...this.pending.values()];
    this.pending.clear();
    this.queue.clear();
    for (const call of pending) call.done({ ok: false, reason: "closed" });
  }
}

export class MessageRouter {
  readonly definitions: readonly AnyMessage[];
  readonly #ids = new Map<unknown, number>();
  /** Replaced, never changed: whoever is being told a message is told it to the end. */
  readonly #messageListeners: (readonly MessageSubscription[])[];
  readonly #callListeners: (CallListener | undefined)[];
  readonly #maxPendingCalls: number;
  readonly #callTimeoutMs: number;

  constructor(definitions: readonly AnyMessage[], options: MessageRouterOptions = {}) {
    this.definitions = definitions;
    for (let id = 0; id < definitions.length; id++) this.#ids.set(definitions[id], id);
    this.#messageListeners = definitions.map(() => []);
    this.#callListeners = definitions.map(() => undefined);
    this.#maxPendingCalls = options.maxPendingCalls ?? 64;
    this.#callTimeoutMs = options.callTimeoutMs ?? 10_000;
  }

  /** Hears messages of this type; returns what ends it. `from` is the sender's seat, -1 for the server. */
  onMessage<F extends Fields>(
    definition: MessageDefinition<F>,
    listener: (value: Values<F>, from: number) => void,
  ): () => void {
    const id = this.#idOf(definition);
    const subscription: MessageSubscription = { listener: listener as MessageListener };
    this.#messageListeners[id] = [...this.#messageListeners[id], subscription];
    return () => {
      this.#messageListeners[id] = this.#messageListeners[id].filter((other) => other !== subscription);
    };
  }

  /** Answers calls of this type; a later handler takes the place of an earlier one. */
  onCall<Q extends Fields, A extends Fields>(
    definition: CallDefinition<Q, A>,
    handler: (request: Values<Q>, call: IncomingCall<A>) => void,
  ): void {
    this.#callListeners[this.#idOf(definition)] = handler as CallListener;
  }

  /**
   * Queues a message; false when the peer's queue is full. Throws `TypeError` for a type the game does not list, and
   * `RangeError` for a value that takes more than 16 KiB.
   */
  send<F extends Fields>(peer: MessagePeer, definition: MessageDefinition<F>, value: Values<F>): boolean {
    return peer.queue.push(definition.channel, scratch, 0, this.#write(definition, value));
  }

  /** `send` to each of these: the message is written once. False when a queue was full; to nobody it sends nothing, whatever it is. */
  sendAll<F extends Fields>(
    peers: readonly MessagePeer[],
    definition: MessageDefinition<F>,
    value: Values<F>,
  ): boolean {
    if (peers.length === 0) return true;
    const length = this.#write(definition, value);
    let all = true;
    for (const { queue } of peers) if (!queue.push(definition.channel, scratch, 0, length)) all = false;
    return all;
  }

  /** Asks; `done` is called exactly once, unless it throws, as `send` does. */
  call<Q extends Fields, A extends Fields>(
    peer: MessagePeer,
    definition: CallDefinition<Q, A>,
    request: Values<Q>,
    now: number,
    done: (outcome: CallOutcome<Values<A>>) => void,
  ): void {
    const id = this.#idOf(definition);
    if (peer.pending.size >= this.#maxPendingCalls) return done({ ok: false, reason: "full" });
    const callId = peer.nextCallId;
    writer.reset(scratch);
    writer.u8(MessageKind.call);
    writer.u8(id);
    writer.varint(callId);
    const length = writeFields(definition, definition.record, request);
    if (!peer.queue.push(definition.channel, scratch, 0, length)) return done({ ok: false, reason: "full" });
    peer.nextCallId = callId === MAX_CALL_ID ? 1 : callId + 1;
    const deadline = now + this.#callTimeoutMs;
    peer.pending.set(callId, {
      definition: definition,
      deadline,
      done: done as AnyReply,
    });
  }

  /** When `handleTimeout` is next due for a peer; `Infinity` while nothing waits for an answer. */
  nextTimeout(peer: MessagePeer): number {
    for (const { deadline } of peer.pending.values()) return deadline;
    return Infinity;
  }

  /** Fails the calls that have waited too long. */
  handleTimeout(peer: MessagePeer, now: number): void {
    if (peer.pending.size === 0) return;
    // Deadlines are in order, because every call waits equally long.
    for (const [callId, call] of peer.pending) {
      if (call.deadline > now) return;
      peer.pending.delete(callId);
      call.done({ ok: false, reason: "timedOut" });
    }
  }

  /**
   * Handles one message of kind `message`, `call` or `reply`; false when it is malformed.
   * `heard` is told of every well-formed message.
   */
  receive(
    peer: MessagePeer,
    from: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    heard?: (definition: AnyMessage, value: Values<Fields>, from: number) => void,
  ): boolean {
    reader.reset(buffer, offset, offset + length);
    const kind = reader.u8();
    const id = reader.u8();
    const definition = this.definitions[id];
    if (reader.failed || definition === undefined) return false;
    if (kind === MessageKind.message) {
      if (definition.kind !== "message") return false;
      const value = this.#decode(definition.record);
      if (value === undefined) return false;
      for (const { listener } of this.#messageListeners[id]) listener(value, from);
      heard?.(definition, value, from);
      return true;
    }
    if (definition.kind !== "call") return false;
    const callId = reader.varint();
    if (kind === MessageKind.call) {
      const request = this.#decode(definition.record);
      if (request === undefined) return false;
      const call = new PeerCall(peer, from, id, callId, definition);
      const handler = this.#callListeners[id];
      if (handler === undefined) call.refuse();
      else handler(request, call);
      return true;
    }
    if (kind !== MessageKind.reply) return false;
    const status = reader.u8();
    const pending = peer.pending.get(callId);
    const value = status === 0 ? this.#decode(definition.replyRecord) : undefined;
    if (reader.failed || (status === 0 && value === undefined)) return false;
    // An answer that came too late is not an offence.
    if (pending === undefined || pending.definition !== definition) return true;
    peer.pending.delete(callId);
    pending.done(value === undefined ? { ok: false, reason: "refused" } : { ok: true, value });
    return true;
  }

  /** A message into `scratch`; returns its length. */
  #write<F extends Fields>(definition: MessageDefinition<F>, value: Values<F>): number {
    const id = this.#idOf(definition);
    writer.reset(scratch);
    writer.u8(MessageKind.message);
    writer.u8(id);
    return writeFields(definition, definition.record, value);
  }

  #idOf(definition: unknown): number {
    const id = this.#ids.get(definition);
    if (id === undefined) throw new TypeError("the message is not in the game's list of messages");
    return id;
  }

  #decode(record: FieldsDefinition): Values<Fields> | undefined {
    if (reader.failed) return undefined;
    bitReader.reset(reader.buffer, reader.offset, reader.end);
    const value = decodeFields(record, bitReader);
    return bitReader.failed ? undefined : value;
  }
}

class PeerCall implements IncomingCall<Fields> {
  readonly from: number;
  readonly #peer: MessagePeer;
  readonly #id: number;
  readonly #callId: number;
  readonly #definition: CallDefinition<Fields, Fields>;
  readonly #session: number;
  #answered = false;

  constructor(peer: MessagePeer, from: number, id: number, callId: number, definition: CallDefinition<Fields, Fields>) {
    this.from = from;
    this.#peer = peer;
    this.#id = id;
    this.#callId = callId;
    this.#definition = definition;
    this.#session = peer.session;
  }

  reply(value: Values<Fields>): boolean {
    return this.#begin(0) && this.#end(writeFields(this.#definition, this.#definition.replyRecord, value));
  }

  refuse(): boolean {
    return this.#begin(1) && this.#end(writer.offset);
  }

  #end(length: number): boolean {
    this.#answered = this.#peer.queue.push(this.#definition.channel, scratch, 0, length);
    return this.#answered;
  }

  #begin(status: number): boolean {
    if (this.#answered || this.#session !== this.#peer.session) return false;
    writer.reset(scratch);
    writer.u8(MessageKind.reply);
    writer.u8(this.#id);
    writer.varint(this.#callId);
    writer.u8(status);
    return true;
  }
}

/** Appends a value's bits to what `writer` holds; returns the end. */
function writeFields<F extends Fields>({ name }: AnyMessage, record: FieldsDefinition<F>, value: Values<F>): number {
  bitWriter.reset(scratch, writer.offset);
  encodeFields(record, value, bitWriter);
  const end = bitWriter.finish();
  if (!bitWriter.failed) return end;
  throw new RangeError(
    `"${name}" takes more than ${MAX_MESSAGE_BYTES} bytes: shorten its lists and texts, or send it as several messages`,
  );
}

const MAX_CALL_ID = 0x3fffffff;
/** Largest typed message. Lists and text are bounded by their fields, so a game knows beforehand. */
const MAX_MESSAGE_BYTES = 16_384;
const scratch = new Uint8Array(MAX_MESSAGE_BYTES);
const writer = new ByteWriter();
const bitWriter = new BitWriter();
const reader = new ByteReader();
const bitReader = new BitReader();
