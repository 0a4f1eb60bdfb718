/** What a node and a balancer say to each other in an exchange, beside seats; and the check of what comes off the wire. */
import type { NodeLoad } from "../registry/server-node.ts";
import { MAX_BLOCK_SEATS, MAX_GRANTS } from "../seats/exchange.ts";
import type { SeatAnswer, SeatReport } from "../seats/exchange.ts";

export interface NodeReport {
  readonly seats: SeatReport;
  readonly load: NodeLoad;
  /** By its own word. `stopped`: this is its last report, and it is forgotten. */
  readonly state: "starting" | "ready" | "draining" | "stopped";
  /** Since it started: players who came to the seats that were kept for them, and seats whose players did not. */
  readonly arrived: number;
  readonly expired: number;
  /** What time it is there. */
  readonly unixMs?: number;
}

export interface NodeAnswer {
  readonly seats: SeatAnswer;
  /** All balancers that are alive, so that it reports to each. */
  readonly balancers: readonly string[];
  /** What an operator wants of it. */
  readonly desired: DesiredState;
}

export type DesiredState = "ready" | "draining" | "maintenance";

const STATES = new Set(["starting", "ready", "draining", "stopped"]);

/** What is no report, or says what cannot be true. */
export class ReportError extends Error {
  override readonly name: string = "ReportError";
}

/** `seats`: that the node has, as it registered them. Throws `ReportError`. */
export function readNodeReport(value: unknown, seats: number): NodeReport {
  const wrong = findWrong(value);
  if (wrong !== undefined) throw new ReportError(`${wrong} is missing, or is not what it should be`);
  const report = value as NodeReport;
  const lent = report.seats.grants.reduce((sum, grant) => sum + grant.seats, 0);
  if (lent > seats) throw new ReportError(`${lent} seats are lent, of a node that registered ${seats}`);
  return report;
}

/** Its name. */
function findWrong(value: unknown): string | undefined {
  if (!isRecord(value)) return "the report";
  const { seats, load, state, unixMs = 0 } = value;
  if (!isRecord(seats) || !isRecord(load)) return isRecord(seats) ? "load" : "seats";
  if (typeof state !== "string" || !STATES.has(state)) return "state";
  const counts: Record<string, unknown> = {
    ...pick(seats, ["epoch", "report", "session", "turn"]),
    ...pick(value, ["arrived", "expired"]),
    unixMs,
  };
  const amounts = pick(load, ["sessions", "players", "reserved", "cpu", "tickMs"]);
  const { grants } = seats;
  const areGrants = Array.isArray(grants) && grants.length <= MAX_GRANTS && grants.every(isGrant);
  return (
    Object.keys(counts).find((name) => !isCount(counts[name])) ??
    Object.keys(amounts).find((name) => !isAmount(amounts[name])) ??
    (areGrants ? undefined : "grants")
  );
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

function isGrant(value: unknown): boolean {
  return (
    isRecord(value) &&
    isCount(value.block) &&
    isCount(value.seats) &&
    value.seats >= 1 &&
    value.seats <= MAX_BLOCK_SEATS
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAmount(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < Infinity;
}
