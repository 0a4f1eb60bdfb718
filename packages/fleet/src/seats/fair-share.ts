/**
 * How a node's free seats are shared by the balancers that want some: nobody gets more than it wants, nor more than `maxShare`
 * of all while others are there; beyond that, whoever wants least is served first, and the others get equal parts. So each
 * gets at least one where there are enough, however much others want. What does not divide goes to those who want most.
 */
export interface Want {
  /** What it wants, a whole number. */
  readonly wanted: number;
  /** Of that, seats that are needed at once or not at all. Default 0. */
  readonly group?: number;
  /** Among those who want the same, the last gets what does not divide. */
  readonly tieBreak: number;
  /** Out: what it should have. */
  target: number;
}

/**
 * Sets each target. `seats`: all that can be shared, those that are lent included. Where equal parts would be smaller than
 * `leastPart`, as many as it lasts for get a part of that size, since a group needs its seats from one balancer; then the others
 * one each, then what is left. So somebody may have none although there are enough: as soon as players wait there, and not
 * with those who have some, these leave theirs. Before all that, one group that fits gets its seats. Reorders `wants`.
 */
export function shareFairly(wants: Want[], seats: number, maxShare: number, leastPart = 1): void {
  const served = groupToServe(wants, seats);
  if (served === undefined) {
    shareParts(wants, seats, maxShare, leastPart);
    return;
  }
  const { group = 0, wanted, tieBreak } = served;
  const rest: Want = { wanted: wanted - group, tieBreak, target: 0 };
  const others = wants.map((want) => (want === served ? rest : want));
  shareParts(others, seats - group, maxShare, leastPart);
  served.target = group + rest.target;
}

/** Half of its seats are of no use to a group, and two groups that get half each would both wait for ever: one goes first. */
function groupToServe(wants: readonly Want[], seats: number): Want | undefined {
  let served: Want | undefined;
  for (const want of wants) {
    const { group = 0, wanted, tieBreak } = want;
    if (group === 0 || group > seats || group > wanted) continue;
    if (served === undefined || tieBreak > served.tieBreak) served = want;
  }
  return served;
}

function shareParts(wants: Want[], seats: number, maxShare: number, leastPart: number): void {
  wants.sort(byWanted);
  let left = Math.max(0, seats);
  const share = wants.length > 1 ? Math.ceil(left * maxShare) : left;
  const cap = Math.max(share, Math.min(left, leastPart));
  let claimants = wants.length;
  // The least first: what it leaves raises the part of those after it; the rest of a division is theirs as well.
  for (const want of wants) {
    const part = Math.floor(left / claimants);
    if (part < leastPart && want.wanted > part) break;
    want.target = Math.min(want.wanted, cap, part);
    left -= want.target;
    claimants--;
  }
  if (claimants > 0) shareOut(wants, { claimants, left, cap, leastPart });
}

interface Short {
  /** The last so many of those who want. */
  readonly claimants: number;
  left: number;
  readonly cap: number;
  readonly leastPart: number;
}

/** There is not enough for equal parts. Those who want most first; of equals `tieBreak` says who, at each node another one. */
function shareOut(wants: readonly Want[], { claimants, left, cap, leastPart }: Short): void {
  const first = wants.length - claimants;
  for (let i = first; i < wants.length; i++) wants[i].target = 0;
  const sizes = left >= leastPart ? [leastPart, 1, leastPart] : [1, leastPart];
  for (const size of sizes)
    for (let i = wants.length - 1; i >= first && left > 0; i--) {
      const want = wants[i];
      const more = Math.min(want.wanted, cap, size) - want.target;
      // A part that is not whole is of no more use than one seat.
      if (more <= 0 || (more > left && want.target === 0)) continue;
      want.target += Math.min(more, left);
      left -= Math.min(more, left);
    }
}

function byWanted(a: Want, b: Want): number {
  return a.wanted - b.wanted || a.tieBreak - b.tieBreak;
}
