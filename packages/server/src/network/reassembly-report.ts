/** For people who look for leaks: the fragmented messages that wait for their missing pieces. */

import type { Reassembly, ReassemblyPool } from "@riposte/protocol/channel";
import type { TrackedConnection } from "./tracked-connection.ts";

export interface ConnectionReassembly {
  readonly connectionId: number;
  /** Memory held now. */
  readonly usedBytes: number;
  /** Unfinished messages given up so far, for room or time. */
  readonly dropped: number;
  /** Oldest first. */
  readonly pending: readonly Reassembly[];
}

export interface ReassemblyReport {
  /** Of all connections together, and its cap. */
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Unfinished messages given up because of that cap. */
  readonly evicted: number;
  /** Those that hold something, most first. */
  readonly connections: readonly ConnectionReassembly[];
}

export function readReassembly(
  pool: Pick<ReassemblyPool, "usedBytes" | "limitBytes" | "evicted">,
  connections: Iterable<TrackedConnection>,
): ReassemblyReport {
  const holding: ConnectionReassembly[] = [];
  for (const { id, connection } of connections) {
    const { fragmenter } = connection;
    if (fragmenter.pendingCount === 0) continue;
    const { usedBytes, dropped } = fragmenter;
    holding.push({ connectionId: id, usedBytes, dropped, pending: fragmenter.inspect() });
  }
  holding.sort((a, b) => b.usedBytes - a.usedBytes);
  const { usedBytes, limitBytes, evicted } = pool;
  return { usedBytes, limitBytes, evicted, connections: holding };
}

/** Drops the unfinished messages of these connections and frees their memory. Returns how many there were. */
export function clearReassembly(connections: Iterable<TrackedConnection>): number {
  let count = 0;
  for (const { connection } of connections) count += connection.fragmenter.clear();
  return count;
}
