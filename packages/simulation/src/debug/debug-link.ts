/**
 * Questions and answers for developers and operators, beside the game: what is in a player's input buffer, why was it
 * corrected. Off unless the server turns it on. Both ends ask and answer.
 *
 * A message, on the reliable channel: u8 kind (`MessageKind.debug`), u8 status (0 question, 1 answer, 2 refusal), varint
 * id, and JSON in UTF-8: of a question `[method, parameters]`, of an answer its value, of a refusal a text. Ids count up
 * from 1 on each side; an answer has the id of its question.
 *
 * Made for curiosity, not for speed: everything is bounded (bytes of a message, open questions, answers a second), and
 * nothing is kept while nobody asks.
 */
import { ByteReader, ByteWriter, decodeUtf8, encodeUtf8, utf8Length } from "@riposte/wire";
import { MessageKind } from "../game/message-kind.ts";
import type { OutgoingQueue } from "../game/outgoing-queue.ts";

/** Answers one method. What it throws refuses the question. `undefined` is answered as null. */
export type DebugAnswer = (parameters: unknown, now: number) => unknown;

export type DebugOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: DebugFailure; readonly message: string };

/** `off`: this server has no debug channel. `full`: too many questions are open, or the queue has no room. */
export type DebugFailure = "off" | "full" | "refused" | "timedOut" | "closed";

export interface DebugLinkOptions {
  /** Where messages go. */
  readonly queue: OutgoingQueue;
  /** By method. */
  readonly answers: Readonly<Record<string, DebugAnswer>>;
  /** Questions that may be open. Default 16. */
  readonly maxPending?: number;
  /** Default 5,000 ms. */
  readonly timeoutMs?: number;
  /** Questions answered a second; twice as many at once. Default 10. What is beyond is refused. */
  readonly answersPerSec?: number;
}

export interface DebugLinkStats {
  answered: number;
  /** Questions that were refused, those beyond the limit included. */
  refused: number;
}

interface Pending {
  readonly deadline: number;
  readonly done: (outcome: DebugOutcome) => void;
}

export class DebugLink {
  /** Set by whoever owns the link: on a server by its option, on a client by the server's welcome. */
  enabled = false;
  readonly stats: DebugLinkStats = { answered: 0, refused: 0 };
  readonly #queue: OutgoingQueue;
  readonly #answers: ReadonlyMap<string, DebugAnswer>;
  readonly #pending = new Map<number, Pending>();
  readonly #maxPending: number;
  readonly #timeoutMs: number;
  readonly #answersPerSec: number;
  #credit: number;
  #creditAt = -Infinity;
  #nextId = 1;

  constructor(options: DebugLinkOptions) {
    this.#queue = options.queue;
    this.#answers = new Map(Object.entries(options.answers));
    this.#maxPending = options.maxPending ?? 16;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#answersPerSec = options.answersPerSec ?? 10;
    this.#credit = this.#answersPerSec * 2;
  }

  /** Asks the other side; `done` is called exactly once. Throws `RangeError` for parameters that take more than 16 KiB. */
  ask(method: string, parameters: unknown, now: number, done: (outcome: DebugOutcome) => void): void {
    if (!this.enabled) return done({ ok: false, reason: "off", message: "the server has no debug channel" });
    if (this.#pending.size >= this.#maxPending)
      return done({ ok: false, reason: "full", message: "too many questions are open" });
    const id = this.#nextId;
    const length = write(QUESTION, id, [method, parameters]);
    if (length === 0) throw new RangeError(`the question "${method}" takes more than ${MAX_BYTES} bytes`);
    if (!this.#queue.push("reliableOrdered", scratch, 0, length))
      return done({ ok: false, reason: "full", message: "the queue is full" });
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    this.#pending.set(id, { deadline: now + this.#timeoutMs, done });
  }

  /** One message of kind `debug`; false when it is malformed, or there should be none. */
  receive(buffer: Uint8Array, offset: number, length: number, now: number): boolean {
    if (!this.enabled || length > MAX_BYTES) return false;
    const bytes = reader.reset(buffer, offset, offset + length);
    bytes.skip(1);
    const status = bytes.u8();
    const id = bytes.varint();
    if (bytes.failed) return false;
    const content = parse(buffer, bytes.offset, offset + length);
    if (content === undefined) return false;
    if (status === QUESTION) return this.#answer(id, content.value, now);
    if (status !== ANSWER && status !== REFUSAL) return false;
    const pending = this.#pending.get(id);
    // An answer that came too late is not an offence.
    if (pending === undefined) return true;
    this.#pending.delete(id);
    pending.done(
      status === ANSWER
        ? { ok: true, value: content.value }
        : { ok: false, reason: "refused", message: textOf(content.value) },
    );
    return true;
  }

  /** When `handleTimeout` is next due; `Infinity` while no question is open. */
  nextTimeout(): number {
    for (const { deadline } of this.#pending.values()) return deadline;
    return Infinity;
  }

  /** Fails the questions that have waited too long. */
  handleTimeout(now: number): void {
    if (this.#pending.size === 0) return;
    for (const [id, { deadline, done }] of this.#pending) {
      if (deadline > now) return;
      this.#pending.delete(id);
      done({ ok: false, reason: "timedOut", message: "no answer came in time" });
    }
  }

  /** The other side is gone. */
  close(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { done } of pending) done({ ok: false, reason: "closed", message: "the session is over" });
  }

  #answer(id: number, content: unknown, now: number): boolean {
    if (!Array.isArray(content) || content.length !== 2) return false;
    const [method, parameters]: unknown[] = content;
    if (typeof method !== "string") return false;
    const answer = this.#answers.get(method);
    if (!this.#mayAnswer(now)) this.#refuse(id, "too many questions");
    else if (answer === undefined) this.#refuse(id, `there is no "${method.slice(0, 40)}"`);
    else this.#answerWith(id, answer, parameters, now);
    return true;
  }

  #answerWith(id: number, answer: DebugAnswer, parameters: unknown, now: number): void {
    let length: number;
    try {
      length = write(ANSWER, id, answer(parameters, now) ?? null);
    } catch (error) {
      return this.#refuse(id, error instanceof Error ? error.message : String(error));
    }
    if (length === 0) return this.#refuse(id, `the answer takes more than ${MAX_BYTES} bytes: ask for less`);
    if (this.#queue.push("reliableOrdered", scratch, 0, length)) this.stats.answered++;
    else this.stats.refused++;
  }

  #refuse(id: number, message: string): void {
    this.stats.refused++;
    const length = write(REFUSAL, id, message.slice(0, MAX_REFUSAL));
    this.#queue.push("reliableOrdered", scratch, 0, length);
  }

  #mayAnswer(now: number): boolean {
    const most = this.#answersPerSec * 2;
    if (now > this.#creditAt) {
      const earned = ((now - this.#creditAt) / 1000) * this.#answersPerSec;
      this.#credit = Math.min(most, this.#credit + earned);
      this.#creditAt = now;
    }
    if (this.#credit < 1) return false;
    this.#credit--;
    return true;
  }
}

/** Length of the message in `scratch`; 0 when it is too long. */
function write(status: number, id: number, content: unknown): number {
  const text = JSON.stringify(content, plain) ?? "null";
  const bytes = writer.reset(scratch);
  bytes.u8(MessageKind.debug);
  bytes.u8(status);
  bytes.varint(id);
  if (bytes.offset + utf8Length(text) > MAX_BYTES) return 0;
  return encodeUtf8(text, scratch, bytes.offset);
}

/** Typed arrays become lists, big integers text; so do infinities and NaN, which come out of it again as numbers. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array);
  return value;
}

function revive(_key: string, value: unknown): unknown {
  return value === "Infinity" || value === "-Infinity" || value === "NaN" ? Number(value) : value;
}

function parse(buffer: Uint8Array, offset: number, end: number): { readonly value: unknown } | undefined {
  const text = decodeUtf8(buffer, offset, end);
  if (text === undefined) return undefined;
  try {
    return { value: JSON.parse(text, revive) as unknown };
  } catch {
    return undefined;
  }
}

/** Of a refusal: the other side may have sent anything, even what cannot become text. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_REFUSAL) : "refused without a text";
}

const QUESTION = 0;
const ANSWER = 1;
const REFUSAL = 2;
const MAX_BYTES = 16_384;
/** Characters of a refusal. */
const MAX_REFUSAL = 500;
const MAX_ID = 0x3fffffff;
const scratch = new Uint8Array(MAX_BYTES);
const writer = new ByteWriter();
const reader = new ByteReader();
