/**
 * Rendezvous hashing (Thaler and Ravishankar): every process that knows the same candidates ranks them for a key in the same
 * way, without asking anybody; and when one goes, only its own keys move.
 */

/** An integer in [0, 2^32): the candidate with the highest one is the first. FNV-1a over both, finished as MurmurHash3 does. */
export function rendezvousScore(key: string, candidate: string): number {
  let hash = mix(0x811c9dc5, key);
  hash = Math.imul(hash ^ 0xff, 0x01000193);
  hash = mix(hash, candidate);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whether `a` comes before `b` for the key. */
export function outranks(key: string, a: string, b: string): boolean {
  const scoreA = rendezvousScore(key, a);
  const scoreB = rendezvousScore(key, b);
  return scoreA === scoreB ? a < b : scoreA > scoreB;
}

/** The first of the candidates for the key, without those that are left out. */
export function highestRanked(
  key: string,
  candidates: Iterable<string>,
  except?: ReadonlySet<string>,
): string | undefined {
  let best: string | undefined;
  for (const candidate of candidates) {
    if (except?.has(candidate) === true) continue;
    if (best === undefined || outranks(key, candidate, best)) best = candidate;
  }
  return best;
}

function mix(from: number, text: string): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
