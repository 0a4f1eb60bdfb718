import { cpuMicros } from "./command-loop.ts";
import { BULK_BYTES, BULK_WINDOW, MESSAGE_BYTES, WISH_BULK, WISH_ECHO } from "./message.ts";
import { generationOf, slotOf, writeMessage } from "./message.ts";

export interface EchoResult {
  readonly echoes: number;
  /** Bytes of all echoes. */
  readonly bytes: number;
  /** Messages given up and replaced. */
  readonly lost: number;
  readonly seconds: number;
  readonly cpuMicros: number;
}

export interface EchoRun {
  /** Messages under way at once. */
  readonly window: number;
  readonly durationMs: number;
  readonly wish: number;
  /** How many bytes an answer has. */
  readonly answerBytes: number;
  /** A message without an answer for so long is lost; another takes its place. */
  readonly lostAfterMs: number;
}

/** For what is sent again by itself, a message is lost when something is broken. */
export const BROKEN_AFTER_MS = 5000;

const CHECK_MS = 100;
/** In place of an interval: the slot awaits nothing. */
const IDLE = 0x7fff_ffff;

/**
 * Keeps a number of messages under way: whoever is answered is sent anew from the message handler. A run starts and
 * ends with nothing under way, so that CPU time read before and after it in both processes belongs to its echoes.
 */
export class EchoWindow {
  readonly #send: (message: Uint8Array) => void;
  readonly #flush: () => void;
  readonly #message: Uint8Array = new Uint8Array(MESSAGE_BYTES);
  #run: EchoRun = { window: 0, durationMs: 0, wish: 0, answerBytes: 0, lostAfterMs: 0 };
  /** By slot: the message that is awaited, and in which check interval it was sent. A stray answer has another generation. */
  #generation: Int32Array = new Int32Array(0);
  #sentIn: Int32Array = new Int32Array(0);
  #interval = 0;
  #underWay = 0;
  #running = false;
  #echoes = 0;
  #lost = 0;
  #done: (() => void) | undefined;

  /** `send` takes or copies the bytes; `flush` sends what was handed over outside of a message handler. */
  constructor(send: (message: Uint8Array) => void, flush: () => void = () => {}) {
    this.#send = send;
    this.#flush = flush;
  }

  /** A run of messages that come back as they are. */
  async echo(window: number, durationMs: number, lostAfterMs: number, wish: number = WISH_ECHO): Promise<EchoResult> {
    return await this.run({ window, durationMs, wish, answerBytes: MESSAGE_BYTES, lostAfterMs });
  }

  /** A run of messages with large answers. */
  async bulk(durationMs: number): Promise<EchoResult> {
    const lostAfterMs = BROKEN_AFTER_MS;
    return await this.run({ window: BULK_WINDOW, durationMs, wish: WISH_BULK, answerBytes: BULK_BYTES, lostAfterMs });
  }

  async run(run: EchoRun): Promise<EchoResult> {
    this.#run = run;
    // Generations go on: answers to an earlier run count as strays.
    const before = this.#generation;
    this.#generation = new Int32Array(Math.max(run.window, before.length));
    this.#generation.set(before);
    this.#sentIn = new Int32Array(this.#generation.length);
    this.#interval = 0;
    this.#echoes = 0;
    this.#lost = 0;
    this.#running = true;
    this.#underWay = run.window;

    const startedAt = performance.now();
    const cpuBefore = cpuMicros();
    const timers = [setInterval(() => this.#giveUp(), CHECK_MS), setTimeout(() => this.#stop(), run.durationMs)];
    await new Promise<void>((resolve) => {
      this.#done = resolve;
      for (let slot = 0; slot < run.window; slot++) this.#sendNext(slot);
      this.#flush();
    });
    for (const timer of timers) clearTimeout(timer);
    return {
      echoes: this.#echoes,
      bytes: this.#echoes * run.answerBytes,
      lost: this.#lost,
      seconds: (performance.now() - startedAt) / 1000,
      cpuMicros: cpuMicros() - cpuBefore,
    };
  }

  /** The peer's message handler. */
  handle(buffer: Uint8Array, offset: number, length: number): void {
    const slot = slotOf(buffer, offset);
    if (length !== this.#run.answerBytes || generationOf(buffer, offset) !== this.#generation[slot]) return;
    this.#generation[slot]++;
    this.#echoes++;
    this.#goOn(slot);
  }

  /** Sends the slot's next message, or ends with it when the run is over. */
  #goOn(slot: number): void {
    if (this.#running) {
      this.#sendNext(slot);
      return;
    }
    this.#sentIn[slot] = IDLE;
    if (--this.#underWay === 0) this.#done?.();
  }

  #sendNext(slot: number): void {
    this.#sentIn[slot] = this.#interval;
    writeMessage(this.#message, slot, this.#generation[slot], this.#run.wish);
    this.#send(this.#message);
  }

  #stop(): void {
    this.#running = false;
  }

  #giveUp(): void {
    this.#interval++;
    const before = this.#interval - this.#run.lostAfterMs / CHECK_MS;
    for (let slot = 0; slot < this.#run.window; slot++) {
      if (this.#sentIn[slot] > before) continue;
      this.#generation[slot]++;
      this.#lost++;
      this.#goOn(slot);
    }
    this.#flush();
  }
}
