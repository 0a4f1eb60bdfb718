import type { ConnectionRecorder } from "./connection-recorder.ts";

/** The recordings, at most so many: those whose connection has ended go first, the oldest of them before others. */
export class RecorderTable {
  /** Connections that were to be recorded when there was no room. */
  refused = 0;
  readonly #capacity: number;
  readonly #live: Map<number, ConnectionRecorder> = new Map();
  /** Of connections that have ended, oldest first. */
  #ended: ConnectionRecorder[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#live.size + this.#ended.length;
  }

  /** Memory of all rings. */
  get heldBytes(): number {
    return this.all().reduce((sum, { ring }) => sum + ring.heldBytes, 0);
  }

  /** Of a connection that lives. */
  get(connectionId: number): ConnectionRecorder | undefined {
    return this.#live.get(connectionId);
  }

  /** Makes room for one more; false when all of it is taken by connections that live. */
  makeRoom(): boolean {
    if (this.size < this.#capacity) return true;
    if (this.#ended.length > 0) {
      this.#ended.shift();
      return true;
    }
    this.refused++;
    return false;
  }

  add(recorder: ConnectionRecorder): void {
    this.#live.set(recorder.connectionId, recorder);
  }

  /** The connection has ended; its recording stays while there is room. */
  end(connectionId: number): void {
    const recorder = this.#live.get(connectionId);
    if (recorder === undefined) return;
    this.#live.delete(connectionId);
    this.#ended.push(recorder);
  }

  live(): ConnectionRecorder[] {
    return [...this.#live.values()];
  }

  /** All, in the order of their ids. */
  all(): ConnectionRecorder[] {
    return [...this.#ended, ...this.#live.values()].sort((a, b) => a.connectionId - b.connectionId);
  }
}
