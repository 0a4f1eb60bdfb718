import type { DebugFailure } from "./debug-link.ts";

/** A question over the debug channel that was not answered. */
export class DebugError extends Error {
  readonly reason: DebugFailure;

  constructor(method: string, reason: DebugFailure, message: string) {
    super(`debug "${method}": ${message}`);
    this.name = "DebugError";
    this.reason = reason;
  }
}
