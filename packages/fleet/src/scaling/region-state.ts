/** What the scaler remembers of one region: nodes that it has asked for, how long they take, what it did last, and demand. */
import type { RegionScaling } from "../config/load-balancer-config.ts";
import { DemandHistory } from "./demand-history.ts";
import type { RegionScalingStatus } from "./scaling-decision.ts";

/** Until one has been measured. */
const FIRST_STARTUP_MS = 60_000;
const KEPT_STARTUPS = 5;
const FIRST_BACK_OFF_MS = 10_000;
const LAST_BACK_OFF_MS = 600_000;
const MAX_DRAINED_IDS = 1000;
/** How long the most players that there were are remembered, decaying. */
const RECENT_MS = 1_800_000;
/** A region that has been full for so long is taken to want so many more players than it has. */
const FULL_FOR_MS = 30_000;
const FULL_AGAIN_MS = 10_000;
const HIDDEN_SHARE = 0.25;

/** Why nothing is done, or what is. */
export type Situation =
  | "enough"
  | "settling"
  | "growing"
  | "shrinking"
  | "outCooldown"
  | "inCooldown"
  | "backOff"
  | "startsAtOnce"
  | "atMaximum";

type Numbers = { -readonly [K in Exclude<keyof RegionScalingStatus, "region" | "note">]: RegionScalingStatus[K] };

/** A node that was asked for and has not registered. */
interface Asked {
  readonly at: number;
  /** As its driver calls it, once it is known. */
  id?: string;
}

interface RegionText {
  readonly history: string;
  readonly startups: readonly number[];
  readonly drained: readonly string[];
}

export class RegionState {
  readonly name: string;
  history: DemandHistory = new DemandHistory();
  /** The oldest first. */
  readonly asked: Asked[] = [];
  startedAt: number = -Infinity;
  /** The last change of any kind. */
  changedAt: number;
  seatsPerNode = 0;
  situation: Situation = "settling";
  /** When it may go on, where it waits. */
  waitsUntil = 0;
  /** Nodes that an earlier leader has drained. */
  drainedBefore: ReadonlySet<string> = new Set();
  readonly numbers: Numbers = {
    presentNodes: 0,
    wantedNodes: 0,
    startingNodes: 0,
    askedNodes: 0,
    drainingNodes: 0,
    lostNodes: 0,
    minNodes: 0,
    maxNodes: 0,
    freeSeats: 0,
    comingSeats: 0,
    targetFreeSeats: 0,
    demand: 0,
    expectedDemand: 0,
    hiddenDemand: 0,
    startupMs: 0,
  };
  #startups: number[] = [];
  #recentDemand = 0;
  #countedAt = -Infinity;
  #fullSince = -1;
  #fullAt = -Infinity;
  #failures = 0;
  #retryAt = -Infinity;

  constructor(name: string, now: number) {
    this.name = name;
    this.changedAt = now;
  }

  /** The longest of the last few. */
  get startupMs(): number {
    return this.#startups.length === 0 ? FIRST_STARTUP_MS : Math.max(...this.#startups);
  }

  /** Nodes are asked for again then. */
  get retryAt(): number {
    return this.#retryAt;
  }

  /**
   * Players who would play and cannot be seen, as no seat is free: those who were there a while ago (nodes were lost), or some
   * more than there are. 0 where seats are free. Call it at each step.
   */
  hiddenDemand(demand: number, isFull: boolean, now: number): number {
    const passedMs = Math.min(RECENT_MS, now - this.#countedAt);
    this.#countedAt = now;
    this.#recentDemand = Math.max(demand, this.#recentDemand * (1 - passedMs / RECENT_MS));
    if (!isFull) {
      // A new node is full within seconds where many wait.
      if (now - this.#fullAt > FULL_AGAIN_MS) this.#fullSince = -1;
      return 0;
    }
    this.#fullAt = now;
    if (this.#fullSince < 0) this.#fullSince = now;
    const more = now - this.#fullSince >= FULL_FOR_MS ? demand * HIDDEN_SHARE : 0;
    return Math.max(this.#recentDemand - demand, more);
  }

  noteReady(startupMs: number | undefined): void {
    this.#failures = 0;
    this.#retryAt = -Infinity;
    if (startupMs === undefined) return;
    this.#startups.push(startupMs);
    if (this.#startups.length > KEPT_STARTUPS) this.#startups.shift();
  }

  /** Nodes could not be started, or have not come: the next are asked for later, each time twice as late. */
  noteFailure(now: number): void {
    this.#retryAt = now + Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
  }

  /** The driver has begun to start this node, which is one of those that were asked for. */
  expect(id: string): void {
    const asked = this.asked.find((node) => node.id === undefined);
    if (asked !== undefined) asked.id = id;
  }

  /** A node has registered: when it was asked for, if it was. */
  arrive(id: string): number | undefined {
    const known = this.asked.findIndex((asked) => asked.id === id);
    const found = known >= 0 ? known : this.asked.findIndex((asked) => asked.id === undefined);
    return found < 0 ? undefined : this.asked.splice(found, 1)[0].at;
  }

  /** Nodes that were asked for too long ago, which are given up. */
  giveUp(config: RegionScaling, now: number): readonly Asked[] {
    const late = this.asked.findIndex(({ at }) => now - at < config.startTimeoutMs);
    const given = this.asked.splice(0, late < 0 ? this.asked.length : late);
    if (given.length > 0) this.noteFailure(now);
    return given;
  }

  /** Another balancer has led meanwhile: what was asked for is not known any more. */
  forget(now: number): void {
    this.asked.length = 0;
    this.startedAt = -Infinity;
    this.changedAt = now;
    this.#failures = 0;
    this.#retryAt = -Infinity;
  }

  toText(drained: readonly string[]): string {
    const text: RegionText = {
      history: this.history.toText(),
      startups: this.#startups.map(Math.round),
      drained: drained.slice(0, MAX_DRAINED_IDS),
    };
    return JSON.stringify(text);
  }

  /** False for what is no such text. */
  restore(text: string, unixMs: number): boolean {
    const parsed = parse(text);
    const history = parsed && DemandHistory.fromText(parsed.history, unixMs);
    if (parsed === undefined || history === undefined) return false;
    this.history = history;
    this.#startups = parsed.startups.slice(-KEPT_STARTUPS);
    this.drainedBefore = new Set(parsed.drained.slice(0, MAX_DRAINED_IDS));
    return true;
  }

  /** Why more nodes are wanted. */
  reasonToGrow(): string {
    const { presentNodes, minNodes, freeSeats, comingSeats, targetFreeSeats, demand, expectedDemand } = this.numbers;
    const { lostNodes, startupMs, hiddenDemand } = this.numbers;
    const lost = lostNodes === 0 ? "" : `; ${lostNodes} nodes are lost`;
    if (presentNodes < minNodes) return `${presentNodes} nodes of at least ${minNodes}${lost}`;
    const growth = Math.ceil(expectedDemand - demand);
    const expected =
      growth <= 0
        ? ""
        : ` and ${growth} more players are expected before a node is there (${Math.ceil(startupMs / 1000)} s)`;
    const hidden = hiddenDemand < 1 ? "" : `, ${Math.floor(hiddenDemand)} players may look for one in vain`;
    const coming = comingSeats === 0 ? "" : `, ${Math.floor(comingSeats)} on their way`;
    return `${Math.floor(freeSeats)} seats are free${coming}; ${targetFreeSeats} are wanted${expected}${hidden}${lost}`;
  }

  status(now: number): RegionScalingStatus {
    return { region: this.name, ...this.numbers, note: this.#note(now) };
  }

  #note(now: number): string {
    const { askedNodes, startingNodes, maxNodes, minNodes } = this.numbers;
    const coming = askedNodes + startingNodes;
    const seconds = Math.max(0, Math.ceil((this.waitsUntil - now) / 1000));
    switch (this.situation) {
      case "enough":
        return coming > 0 ? `${coming} nodes are on their way, then there are enough` : "enough, and not too many";
      case "settling":
        return `this balancer leads since a moment: it decides in ${seconds} s`;
      case "growing":
        return "nodes were started, or drain no more";
      case "shrinking":
        return "nodes were drained";
      case "outCooldown":
        return `more nodes are wanted: scaleOutCooldownMs is over in ${seconds} s`;
      case "inCooldown":
        return `fewer nodes would do: scaleInCooldownMs is over in ${seconds} s`;
      case "backOff":
        return `more nodes are wanted, but the last did not start: the next attempt is in ${seconds} s`;
      case "startsAtOnce":
        return `more nodes are wanted: ${coming} are on their way, which is maxStarting`;
      case "atMaximum":
        return `more nodes are wanted: there are maxNodes (${maxNodes}, at least ${minNodes})`;
    }
  }
}

function parse(text: string): RegionText | undefined {
  try {
    const { history, startups, drained } = JSON.parse(text) as Partial<RegionText>;
    const isFine =
      typeof history === "string" &&
      Array.isArray(startups) &&
      startups.every((ms) => typeof ms === "number" && ms >= 0 && ms < 86_400_000) &&
      Array.isArray(drained) &&
      drained.every((id) => typeof id === "string");
    return isFine ? { history, startups, drained } : undefined;
  } catch {
    return undefined;
  }
}
