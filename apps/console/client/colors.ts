/** What colours mean, everywhere in the console. */
import type { NodeState } from "@riposte/fleet";

/** Also the order in which states are listed. */
export const STATE_COLORS: Readonly<Record<NodeState, string>> = {
  ready: "#35e0c2",
  full: "#ffb84d",
  starting: "#8fa3bf",
  draining: "#5aa9ff",
  maintenance: "#b58cff",
  lost: "#ff5d73",
};

export const STATES: readonly NodeState[] = Object.keys(STATE_COLORS) as NodeState[];

/** From green by amber to red. `load`: share of seats in use. */
export function loadColor(load: number): string {
  const hue = 165 - 160 * Math.min(Math.max(load, 0), 1) ** 1.5;
  return `hsl(${hue.toFixed(0)} 75% 55%)`;
}

/** A node or region without seats is neither empty nor full. */
export function loadOf(used: number, capacity: number): number {
  return capacity > 0 ? used / capacity : 0;
}
