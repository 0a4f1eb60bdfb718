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

/**
 * Sets each target. `seats`: all that can be shared, those that are lent included. Where equal parts would be smaller than
 * `leastPart`, everybody has one seat, and what is left goes in parts of that size to as many as it lasts for: a group needs
 * its seats from one balancer. Reorders `wants`.
 */
export function shareFairly(wants: Want[], seats: number, maxShare: number, leastPart = 1): void {
  wants.sort(byWanted);
  let left = Math.max(0, seats);
  const share = wants.length > 1 ? Math.ceil(left * maxShare) : left;
  const cap = Math.max(share, Math.min(left, leastPart));
  let claimants = wants.length;
  // The least first: what it leaves raises the part of those after it; the rest of a division is theirs as well.
  for (const want of wants) {
    const part = Math.floor(left / claimants);
    const isShort = part < leastPart && want.wanted > part;
    want.target = isShort ? Math.min(part, 1) : Math.min(want.wanted, cap, part);
    left -= want.target;
    claimants--;
  }
  // Those who want most first; of equals `tieBreak` says who, at each node another one.
  for (let i = wants.length - 1; i >= 0 && left > 0; i--) {
    const want = wants[i];
    const more = Math.min(left, Math.max(0, Math.min(want.wanted, cap, leastPart) - want.target));
    want.target += more;
    left -= more;
  }
}

function byWanted(a: Want, b: Want): number {
  return a.wanted - b.wanted || a.tieBreak - b.tieBreak;
}
