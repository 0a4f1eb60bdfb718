import type { ByteWriter } from "@riposte/wire";
import { NetworkError } from "../network-error.ts";
import type { ConnectionExtensions, NegotiatedExtensions } from "./connection-options.ts";
import { confirmedExtensions, negotiatedExtensions, NOTHING_NEGOTIATED, offeredExtensions } from "./extensions.ts";
import { HELLO_VERSION, SCHEMA_HASH_BYTES, writeHello } from "./hello.ts";
import type { Hello, HelloExtension } from "./hello.ts";

/** A client repeats its hello after this long, doubling up to the second. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1_000;
/** A peer that says nothing of use in this time: a plain netcode server, or a client that only holds its seat. */
const HELLO_TIMEOUT_MS = 10_000;

/**
 * The negotiation. The client says hello again and again until a hello comes back. The server
 * starts every packet with its hello until a packet without one shows that the client has it.
 */
export class HelloExchange {
  readonly #isClient: boolean;
  readonly #able: ConnectionExtensions;
  readonly #schemaHash: Uint8Array;
  #extensions: readonly HelloExtension[];
  /** What the peer said; `undefined` before. */
  peer: Hello | undefined;
  /** The peer's hello came and fits ours. */
  accepted: boolean;
  /** What both sides want, once accepted. */
  negotiated: NegotiatedExtensions;
  /** Every packet has to start with our hello. */
  announcing: boolean;
  /** Server: an answer is owed even if nothing else is to be sent. */
  answerDue: boolean;
  #retryAt: number;
  #retryMs: number;
  readonly #givesUpAt: number;

  constructor(isClient: boolean, schemaHash: Uint8Array, able: ConnectionExtensions, now: number) {
    if (schemaHash.length !== SCHEMA_HASH_BYTES) {
      throw new RangeError(`schemaHash must be ${SCHEMA_HASH_BYTES} bytes, got ${schemaHash.length}`);
    }
    this.#isClient = isClient;
    this.#able = able;
    this.#schemaHash = schemaHash.slice();
    this.#extensions = isClient ? offeredExtensions(able) : [];
    this.peer = undefined;
    this.accepted = false;
    this.negotiated = NOTHING_NEGOTIATED;
    this.announcing = isClient;
    this.answerDue = false;
    this.#retryAt = isClient ? now : Infinity;
    this.#retryMs = FIRST_RETRY_MS;
    this.#givesUpAt = now + HELLO_TIMEOUT_MS;
  }

  /** When `handleTimeout` or a packet is due. */
  nextTimeout(): number {
    return this.peer !== undefined ? Infinity : Math.min(this.#retryAt, this.#givesUpAt);
  }

  /** The client's next hello should go now. */
  isDue(now: number): boolean {
    return this.peer === undefined && now >= this.#retryAt;
  }

  /** An error when the peer took too long. */
  handleTimeout(now: number): NetworkError | undefined {
    if (this.peer !== undefined || now < this.#givesUpAt) return undefined;
    const message = this.#isClient
      ? "the server did not answer the hello: it is a plain netcode server"
      : "the client said neither hello nor anything else";
    return new NetworkError("versionMismatch", message);
  }

  write(writer: ByteWriter): void {
    writeHello(writer, { version: HELLO_VERSION, schemaHash: this.#schemaHash, extensions: this.#extensions });
    this.answerDue = false;
  }

  /** The client's hello went out alone. */
  onSent(now: number): void {
    this.#retryAt = now + this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
  }

  /** A hello came. An error when the two sides do not fit. */
  onReceived(hello: Hello): NetworkError | undefined {
    if (this.peer !== undefined) {
      // The client repeats itself: our answer was lost.
      if (this.announcing) this.answerDue = true;
      return undefined;
    }
    this.peer = hello;
    this.announcing = !this.#isClient;
    this.answerDue = this.announcing;
    if (hello.version !== HELLO_VERSION) {
      const message = `the peer speaks version ${hello.version} of the protocol, this side ${HELLO_VERSION}`;
      return new NetworkError("versionMismatch", message);
    }
    for (let i = 0; i < SCHEMA_HASH_BYTES; i++) {
      if (hello.schemaHash[i] === this.#schemaHash[i]) continue;
      const message = `game schemas differ: ours is ${hex(this.#schemaHash)}, the peer's ${hex(hello.schemaHash)}`;
      return new NetworkError("schemaMismatch", message);
    }
    if (!this.#isClient) this.#extensions = confirmedExtensions(this.#able, hello.extensions);
    this.negotiated = negotiatedExtensions(this.#able, hello.extensions);
    this.accepted = true;
    return undefined;
  }

  /** A packet without a hello: the peer has ours. */
  onConfirmed(): void {
    this.announcing = false;
    this.answerDue = false;
  }
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
