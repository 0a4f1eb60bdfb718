/** One text for each filter, however its parts are ordered: who has the same waits in the same line. */
import type { RouteFilter } from "../routing/route-request.ts";

export function filterKeyOf(filter: RouteFilter | undefined): string {
  if (filter === undefined) return "";
  const { version = "", gameMode = "", labels = {}, regions = [], exceptNodes = [] } = filter;
  const parts = [
    version,
    gameMode,
    Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
    regions.toSorted(),
    exceptNodes.toSorted(),
  ];
  return parts.every((part) => part.length === 0) ? "" : JSON.stringify(parts);
}
