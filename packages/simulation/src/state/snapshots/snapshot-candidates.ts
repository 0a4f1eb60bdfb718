/** What is added to the claim of an entity that the client may show already, but that is not in the baseline. */
export const PROMISED = 1e9;

/** What could go into a snapshot: rows with their cost in bits and their claim, picked in order of claim until the budget is spent. */
export class SnapshotCandidates {
  count = 0;
  /** Bits of all of them. */
  totalCost = 0;
  tables: Int32Array = new Int32Array(64);
  indices: Int32Array = new Int32Array(64);
  /** How much each should be in: filled in before `pick`. */
  claims: Float64Array = new Float64Array(64);
  #costs = new Int32Array(64);
  /** Candidates by falling claim, once `pick` has sorted them. */
  #order = new Int32Array(64);

  clear(): void {
    this.count = 0;
    this.totalCost = 0;
  }

  add(table: number, index: number, cost: number): void {
    if (this.count === this.tables.length) this.#grow();
    const candidate = this.count++;
    this.tables[candidate] = table;
    this.indices[candidate] = index;
    this.#costs[candidate] = cost;
    this.totalCost += cost;
  }

  /**
   * Puts the chosen candidates into `chosen` and returns how many: those with the largest claims first, then
   * smaller ones that still fit. An infinite claim is always chosen, and one of `PROMISED` and above may take an
   * eighth more than the budget: what fitted in the snapshot before may have grown since.
   */
  pick(budgetBits: number, chosen: Int32Array): number {
    this.#sort();
    let picked = 0;
    let spent = 0;
    const stretched = budgetBits * 1.125;
    for (let i = 0; i < this.count; i++) {
      const candidate = this.#order[i];
      const cost = this.#costs[candidate];
      const claim = this.claims[candidate];
      if (spent + cost > (claim < PROMISED ? budgetBits : stretched) && claim < Infinity) continue;
      spent += cost;
      chosen[picked++] = candidate;
    }
    return picked;
  }

  /** Heap sort of `#order`, smallest claim at the top of the heap, so it ends with the largest first. */
  #sort(): void {
    const order = this.#order;
    for (let i = 0; i < this.count; i++) order[i] = i;
    for (let i = (this.count >>> 1) - 1; i >= 0; i--) this.#sink(i, this.count);
    for (let end = this.count - 1; end > 0; end--) {
      const top = order[0];
      order[0] = order[end];
      order[end] = top;
      this.#sink(0, end);
    }
  }

  #sink(start: number, end: number): void {
    const order = this.#order;
    const { claims } = this;
    let parent = start;
    for (;;) {
      let child = parent * 2 + 1;
      if (child >= end) return;
      if (child + 1 < end && claims[order[child + 1]] < claims[order[child]]) child++;
      if (claims[order[parent]] <= claims[order[child]]) return;
      const moved = order[parent];
      order[parent] = order[child];
      order[child] = moved;
      parent = child;
    }
  }

  #grow(): void {
    const size = this.tables.length * 2;
    const tables = new Int32Array(size);
    tables.set(this.tables);
    this.tables = tables;
    const indices = new Int32Array(size);
    indices.set(this.indices);
    this.indices = indices;
    const costs = new Int32Array(size);
    costs.set(this.#costs);
    this.#costs = costs;
    const claims = new Float64Array(size);
    claims.set(this.claims);
    this.claims = claims;
    this.#order = new Int32Array(size);
  }
}
