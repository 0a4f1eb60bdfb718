/** The bytes that a client may hold for prediction: rings of inputs and states ask before they grow. */
export class HistoryBudget {
  readonly limitBytes: number;
  usedBytes = 0;
  /** How often a ring was not allowed to grow. */
  refused = 0;

  constructor(limitBytes: number) {
    if (!(limitBytes > 0)) throw new RangeError(`historyBytes must be above 0, got ${limitBytes}`);
    this.limitBytes = limitBytes;
  }

  /** Replaces `oldBytes` by `newBytes`; false when that is beyond the limit. */
  replace(oldBytes: number, newBytes: number): boolean {
    const used = this.usedBytes - oldBytes + newBytes;
    if (used > this.limitBytes) {
      this.refused++;
      return false;
    }
    this.usedBytes = used;
    return true;
  }
}
