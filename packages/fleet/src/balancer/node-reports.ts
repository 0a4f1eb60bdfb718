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

/** `undefined` for what is no report. */
export function readNodeReport(value: unknown): NodeReport | undefined {
  if (!isRecord(value) || !isRecord(value.seats) || !isRecord(value.load)) return undefined;
  const { seats, load, state, arrived, expired, unixMs = 0 } = value;
  if (typeof state !== "string" || !STATES.has(state)) return undefined;
  const isFine =
    [seats.epoch, seats.report, seats.session, seats.turn, arrived, expired, unixMs].every(isCount) &&
    [load.sessions, load.players, load.reserved, load.cpu, load.tickMs].every(isAmount) &&
    Array.isArray(seats.grants) &&
    seats.grants.length <= MAX_GRANTS &&
    seats.grants.every(isGrant);
  return isFine ? (value as unknown as NodeReport) : undefined;
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
