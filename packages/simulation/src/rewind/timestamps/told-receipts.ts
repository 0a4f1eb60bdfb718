/**
 * What a client has said to have: its messages tell the newest snapshot that has come and go with inputs, so whatever is
 * drawn after such a message is drawn with that snapshot. A view that names an older one is no honest one: it would have
 * entities carried on from old news, or standing where these ended.
 */

const MESSAGES = 64;

export class ToldReceipts {
  /** Of messages, by rising ticks: the newest input of each, and the snapshot that it told. */
  readonly #inputs: Int32Array = new Int32Array(MESSAGES);
  readonly #snapshots: Int32Array = new Int32Array(MESSAGES);
  #count = 0;

  /** A message came. Those that come late say nothing new. */
  note(newestInputTick: number, snapshotTick: number): void {
    if (this.#count > 0) {
      const last = (this.#count - 1) % MESSAGES;
      if (snapshotTick <= this.#snapshots[last] || newestInputTick < this.#inputs[last]) return;
    }
    const at = this.#count++ % MESSAGES;
    this.#inputs[at] = newestInputTick;
    this.#snapshots[at] = snapshotTick;
  }

  /** The newest snapshot that was told with inputs of `tick` or before; -1: none. */
  newestAt(tick: number): number {
    const oldest = Math.max(0, this.#count - MESSAGES);
    for (let i = this.#count - 1; i >= oldest; i--)
      if (this.#inputs[i % MESSAGES] <= tick) return this.#snapshots[i % MESSAGES];
    return -1;
  }

  clear(): void {
    this.#count = 0;
  }
}
