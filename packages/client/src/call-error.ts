/** Why a typed call got no answer. */

import type { CallFailure } from "@riposte/simulation/game";

const MESSAGES: Readonly<Record<CallFailure, string>> = {
  timedOut: "the server did not answer in time",
  refused: "the server refused it",
  full: "too many calls or messages are waiting",
  closed: "the session ended before the answer came",
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
