/**
 * Who did what: each action of an operator and each registration of a node as one line of JSON. What was refused is bounded
 * to `refusalsPerSec` lines, so that an attacker cannot fill a disk with it; how many were left out is a line too.
 */
import type { Actor } from "./balancer-api.ts";

export interface AuditEntry {
  readonly actor: Actor;
  /** For example "nodes.drain". */
  readonly action: string;
  readonly outcome: "done" | "refused" | "failed";
  /** What it was done to. */
  readonly target?: string;
  /** Why it was refused, or what was said with it. */
  readonly detail?: string;
}

/** A stream to a file, or the process's output. */
export interface AuditSink {
  write(line: string): unknown;
  /** Bytes that wait to be written. */
  readonly writableLength?: number;
}

export interface AuditLogOptions {
  readonly sink: AuditSink;
  /** Unix ms. */
  readonly wallNow: () => number;
  /** Default 20. */
  readonly refusalsPerSec?: number;
  /** Bytes that may wait in the sink; beyond, lines are left out. Default 4 MiB. */
  readonly maxWaitingBytes?: number;
}

const MAX_TEXT = 256;

export class AuditLog {
  readonly #options: AuditLogOptions;
  #second = -1;
  #refusals = 0;
  #leftOut = 0;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** Lines that were left out and not told yet. */
  get leftOut(): number {
    return this.#leftOut;
  }

  write(entry: AuditEntry): void {
    const { sink, wallNow, refusalsPerSec = 20, maxWaitingBytes = 4 << 20 } = this.#options;
    const now = wallNow();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) [this.#second, this.#refusals] = [second, 0];
    const isFull = (sink.writableLength ?? 0) > maxWaitingBytes;
    if (isFull || (entry.outcome === "refused" && ++this.#refusals > refusalsPerSec)) {
      this.#leftOut++;
      return;
    }
    const at = new Date(now).toISOString();
    if (this.#leftOut > 0) sink.write(`${JSON.stringify({ at, action: "audit.leftOut", lines: this.#leftOut })}\n`);
    this.#leftOut = 0;
    const { actor, action, outcome, target, detail } = entry;
    const line = {
      at,
      actor: cut(actor.subject),
      address: cut(actor.address),
      action,
      target: cut(target),
      outcome,
      detail: cut(detail),
    };
    sink.write(`${JSON.stringify(line)}\n`);
  }
}

function cut(text: string | undefined): string | undefined {
  return text !== undefined && text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}
