/**
 * Maglev's consistent hash (Eisenbud et al., NSDI 2016, section 3.4): a table in which each name has its share of the
 * places, and in which few places change when a name comes or goes. Whoever knows the same names and weights builds the
 * same table.
 */
import { hash } from "../registry/rendezvous.ts";

/** A prime well above a hundred times the names, for even shares. */
const DEFAULT_SIZE = 65_537;

export class MaglevTable {
  /** By place: the number of a name. Empty without names. */
  readonly places: Int32Array;

  /** `weights` above 0, one for each name, if not all the same; `size` must be prime. */
  constructor(names: readonly string[], weights?: ArrayLike<number>, size: number = DEFAULT_SIZE) {
    this.places = names.length === 0 ? new Int32Array(0) : fill(names, weights, size);
  }

  /** The number of the name for a hash; other attempts find others for it. */
  at(keyHash: number, attempt = 0): number {
    return this.places[mix(keyHash + Math.imul(attempt, 0x9e37_79b9)) % this.places.length];
  }
}

function fill(names: readonly string[], weights: ArrayLike<number> | undefined, size: number): Int32Array {
  const places = new Int32Array(size).fill(-1);
  const hashes = names.map(hash);
  const turns = Uint32Array.from(names.keys()).sort((a, b) => hashes[a] - hashes[b] || (names[a] < names[b] ? -1 : 1));
  // By turn, where the name's own order of all places has come to, and its step.
  const at = Int32Array.from(turns, (name) => hashes[name] % size);
  const step = Int32Array.from(turns, (name) => (mix(hashes[name]) % (size - 1)) + 1);
  const heaviest =
    weights === undefined ? 1 : Array.from(turns, (name) => weights[name]).reduce((a, b) => Math.max(a, b), 0);
  // In each round the heaviest take a place, others when their shares have added up to one.
  const share = Float64Array.from(turns, (name) => (weights === undefined ? 1 : weights[name] / heaviest));
  const credit = new Float64Array(names.length);
  for (let filled = 0; ;) {
    for (let turn = 0; turn < turns.length; turn++) {
      credit[turn] += share[turn];
      if (credit[turn] < 1) continue;
      credit[turn]--;
      let place = at[turn];
      while (places[place] >= 0) {
        place += step[turn];
        if (place >= size) place -= size;
      }
      places[place] = turns[turn];
      at[turn] = place;
      if (++filled === size) return places;
    }
  }
}

/** Murmur3's last mix: 32 bits that depend on each bit of `value`. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
