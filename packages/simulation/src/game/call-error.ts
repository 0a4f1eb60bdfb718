/** Why a typed call got no answer. */

import type { CallFailure } from "./message-router.ts";

const MESSAGES: Readonly<Record<CallFailure, string>> = {
  timedOut: "no answer came in time",
  refused: "it was refused",
  full: "too many calls or messages are waiting",
  closed: "the connection ended before the answer came",
};

/** `reason` says which: "timedOut", "refused", "full" or "closed". */
export class CallError extends Error {
  readonly reason: CallFailure;

  constructor(call: string, reason: CallFailure) {
    super(`call "${call}": ${MESSAGES[reason]}`);
    this.name = "CallError";
    this.reason = reason;
  }
}
