/** The server's answers to connection requests that wait to be sent. */
import type { TransmitSlot } from "../machine.ts";
import type { Admission } from "./admission.ts";
import type { PendingSession } from "./server-session.ts";
import { asItIs } from "./transmit.ts";

/** Denials waiting; more are not sent, since the client asks again. */
const MAX_DENIALS = 64;

export class HandshakeOutbox {
  readonly #admission: Admission;
  /** Each admission under way is in it once at most. */
  readonly #challenges: PendingSession[] = [];
  readonly #denials: { readonly path: number; readonly packet: Uint8Array }[] = [];

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Sends a challenge, once however often it is asked for before it goes. */
  challenge(pending: PendingSession): void {
    if (pending.challengeDue) return;
    pending.challengeDue = true;
    this.#challenges.push(pending);
  }

  deny(path: number, key: Uint8Array): void {
    if (this.#denials.length >= MAX_DENIALS) return;
    const packet = new Uint8Array(32);
    const length = this.#admission.writeDenied(key, packet, 0);
    this.#denials.push({ path, packet: packet.subarray(0, length) });
  }

  /** Writes the next answer whose admission is still under way. */
  transmit(slot: TransmitSlot, pendingByPath: ReadonlyMap<number, PendingSession>, now: number): boolean {
    if (this.#challenges.length === 0 && this.#denials.length === 0) return false;
    for (let pending = this.#challenges.shift(); pending !== undefined; pending = this.#challenges.shift()) {
      pending.challengeDue = false;
      if (pendingByPath.get(pending.path) !== pending) continue;
      if (pending.challengesSent++ === 0) pending.challengedAt = now;
      slot.length = this.#admission.writeChallenge(pending, slot.buffer, slot.offset);
      return asItIs(slot, pending.path);
    }
    const denial = this.#denials.shift();
    if (denial === undefined) return false;
    slot.buffer.set(denial.packet, slot.offset);
    slot.length = denial.packet.length;
    return asItIs(slot, denial.path);
  }
}
