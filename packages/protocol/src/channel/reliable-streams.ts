import { ReliableSender } from "./reliable-send.ts";

/** What the peer may be sent on all streams together before its first MAX_DATA. Both sides know it. */
export const INITIAL_WINDOW_BYTES: number = 64 * 1024;

const MAX_MESSAGE_PREFIX_BYTES = 4;

/**
 * The sending half of the reliable channel: up to 256 independent streams that share one window.
 * What was lost goes first; new bytes are taken from the streams in turn, a packet's worth each.
 * Messages above 64 KiB go one at a time, so that the receiver never has to hold several of them.
 */
export class ReliableStreams {
  /** The peer takes this many bytes, counted over all streams. */
  maxData: number;
  /** The stream that `takeChunk` cut a chunk from. */
  current: ReliableSender;
  readonly #limitBytes: number;
  readonly #senders: (ReliableSender | undefined)[];
  /** Streams with anything to send, each once, in the order of their turns. */
  readonly #active: ReliableSender[];
  #turn: number;
  /** The stream in the middle of a large message. */
  #large: ReliableSender | undefined;
  #queuedBytes: number;
  #unsentBytes: number;
  #sentBytes: number;
  #streamsWithLost: number;

  constructor(limitBytes: number) {
    this.maxData = INITIAL_WINDOW_BYTES;
    this.#limitBytes = limitBytes;
    this.current = new ReliableSender(0, limitBytes + MAX_MESSAGE_PREFIX_BYTES);
    this.#senders = [this.current];
    this.#active = [];
    this.#turn = 0;
    this.#large = undefined;
    this.#queuedBytes = 0;
    this.#unsentBytes = 0;
    this.#sentBytes = 0;
    this.#streamsWithLost = 0;
  }

  /** Bytes accepted and not yet acknowledged. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes accepted and never sent. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Something was lost and has not been sent again. */
  get hasLost(): boolean {
    return this.#streamsWithLost > 0;
  }

  /** Something may be sent as far as the peer's window goes. */
  get hasData(): boolean {
    return this.#streamsWithLost > 0 || (this.#unsentBytes > 0 && this.#sentBytes < this.maxData);
  }

  /** Copies a message into the queue of a stream; false when it does not fit now. */
  write(stream: number, buffer: Uint8Array, offset: number, length: number): boolean {
    if (this.#queuedBytes + length > this.#limitBytes) return false;
    const sender = (this.#senders[stream] ??= new ReliableSender(stream, this.#limitBytes + MAX_MESSAGE_PREFIX_BYTES));
    const before = sender.queuedBytes;
    const idle = sender.unsentBytes === 0 && !sender.hasLost;
    if (!sender.write(buffer, offset, length)) return false;
    const added = sender.queuedBytes - before;
    this.#queuedBytes += added;
    this.#unsentBytes += added;
    if (idle) this.#active.push(sender);
    return true;
  }

  /** Chooses the stream whose turn it is, as `current`; false when no stream may send. Its `nextOffset` is where the chunk will start. */
  choose(): boolean {
    const active = this.#active;
    if (this.#streamsWithLost > 0) {
      for (const sender of active) {
        if (!sender.hasLost) continue;
        this.current = sender;
        return true;
      }
    }
    if (this.#sentBytes >= this.maxData) return false;
    for (let i = 0; i < active.length; i++) {
      if (this.#turn >= active.length) this.#turn = 0;
      const sender = active[this.#turn];
      if (sender.unsentBytes > 0 && (!sender.isInLarge || this.#large === undefined || this.#large === sender)) {
        this.current = sender;
        return true;
      }
      this.#turn++;
    }
    return false;
  }

  /** Cuts a chunk of at most `room` bytes from the `current` stream. */
  takeChunk(room: number): boolean {
    const sender = this.current;
    const hadLost = sender.hasLost;
    const large = sender.isInLarge;
    if (room <= 0 || !sender.takeChunk(room, this.maxData - this.#sentBytes)) return false;
    if (!sender.chunkIsRepeat) {
      this.#sentBytes += sender.chunkLength;
      this.#unsentBytes -= sender.chunkLength;
      if (large) this.#large = sender.isInLarge ? sender : undefined;
      this.#turn++;
    }
    if (hadLost && !sender.hasLost) this.#streamsWithLost--;
    if (sender.unsentBytes === 0 && !sender.hasLost) this.#retire(sender);
    return true;
  }

  onChunkAcked(stream: number, offset: number, length: number): void {
    const sender = this.#senders[stream];
    if (sender === undefined) return;
    const before = sender.queuedBytes;
    const hadLost = sender.hasLost;
    sender.onChunkAcked(offset, length);
    this.#queuedBytes -= before - sender.queuedBytes;
    if (!hadLost || sender.hasLost) return;
    this.#streamsWithLost--;
    if (sender.unsentBytes === 0) this.#retire(sender);
  }

  /** Queues what is not acknowledged of a chunk to be sent again. True when there was any. */
  onChunkLost(stream: number, offset: number, length: number): boolean {
    const sender = this.#senders[stream];
    if (sender === undefined) return false;
    const hadLost = sender.hasLost;
    if (!sender.onChunkLost(offset, length)) return false;
    if (hadLost) return true;
    this.#streamsWithLost++;
    if (sender.unsentBytes === 0) this.#active.push(sender);
    return true;
  }

  /** Forgets everything and frees the storage. */
  release(): void {
    for (const sender of this.#senders) sender?.release();
    this.#active.length = 0;
    this.#large = undefined;
    this.#queuedBytes = 0;
    this.#unsentBytes = 0;
    this.#streamsWithLost = 0;
  }

  #retire(sender: ReliableSender): void {
    const at = this.#active.indexOf(sender);
    if (at < 0) return;
    this.#active.splice(at, 1);
    if (at < this.#turn) this.#turn--;
  }
}
