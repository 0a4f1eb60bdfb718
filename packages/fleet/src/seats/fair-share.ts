/**
 * How a node's free seats are shared by the balancers that want some: nobody gets more than it wants, nor more than `maxShare`
 * of all while others are there; beyond that, whoever wants least is served first, and the others get equal parts. So each
 * gets at least one where there are enough, however much others want. What does not divide goes to those who want most.
 */
export interface Want {
  /** What it wants, a whole number. */
  readonly wanted: number;
  /** Among those who want the same, the last gets what does not divide. */
  readonly tieBreak: number;
  /** Out: what it should have. */
  target: number;
}

/** Sets each target. `seats`: all that can be shared, those that are lent included. Reorders `wants`. */
export function shareFairly(wants: Want[], seats: number, maxShare: number): void {
  wants.sort(byWanted);
  let left = Math.max(0, seats);
  const cap = wants.length > 1 ? Math.ceil(left * maxShare) : left;
  let claimants = wants.length;
  // The least first: what it leaves raises the part of those after it; the rest of a division is theirs as well.
  for (const want of wants) {
    want.target = Math.min(want.wanted, cap, Math.floor(left / claimants));
    left -= want.target;
    claimants--;
  }
}

function byWanted(a: Want, b: Want): number {
  return a.wanted - b.wanted || a.tieBreak - b.tieBreak;
}
