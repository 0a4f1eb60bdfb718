/**
 * Who steps out from behind a corner sees whoever waits there at once; and is seen only when its input has reached the
 * server, was simulated, and has been drawn by the other. The time between is the peeker's advantage: the input's delay of
 * the one and the view's delay of the other.
 */

/** Of one player, in milliseconds. */
export interface PlayerDelays {
  /** From giving an input until the server simulates it. */
  readonly inputDelayMs: number;
  /** From the server's simulating something until it is drawn. */
  readonly viewDelayMs: number;
}

/** The peeker's advantage over all pairs of players. */
export interface PeekersAdvantage {
  /** Ordered pairs of different players: each of a pair may peek. */
  readonly pairs: number;
  readonly meanMs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  /** The largest, and whose: the seats. -1 without pairs. */
  readonly mostMs: number;
  readonly peeker: number;
  readonly holder: number;
}

/** For how long `peeker` sees `holder` before it is seen. */
export function peekersAdvantageMs(peeker: PlayerDelays, holder: PlayerDelays): number {
  return peeker.inputDelayMs + holder.viewDelayMs;
}

/** Over all pairs of `players`, by seat. All figures are 0 when there are fewer than two. */
export function peekersAdvantages(players: ReadonlyMap<number, PlayerDelays>): PeekersAdvantage {
  const all: number[] = [];
  let mostMs = 0;
  let peeker = -1;
  let holder = -1;
  let sum = 0;
  // All pairs of many players say no more than all of some of them.
  const step = Math.ceil(players.size / MOST_PLAYERS);
  const chosen = [...players].filter((_, i) => i % step === 0);
  for (const [first, delays] of chosen) {
    for (const [second, others] of chosen) {
      if (first === second) continue;
      const ms = peekersAdvantageMs(delays, others);
      all.push(ms);
      sum += ms;
      if (peeker >= 0 && ms <= mostMs) continue;
      mostMs = ms;
      peeker = first;
      holder = second;
    }
  }
  all.sort((a, b) => a - b);
  const at = (part: number): number => all[Math.min(all.length - 1, Math.floor(all.length * part))] ?? 0;
  const meanMs = all.length === 0 ? 0 : sum / all.length;
  return { pairs: all.length, meanMs, medianMs: at(0.5), p95Ms: at(0.95), mostMs, peeker, holder };
}

const MOST_PLAYERS = 128;
