/** Counts and measures what happens in a simulation, for its report. */
import type { CountingStore } from "./counting-store.ts";
import { Histogram, round } from "./histogram.ts";
import type { Party } from "./party.ts";
import { PlacementStats } from "./placement-stats.ts";
import { DRAINING } from "./simulated-fleet.ts";
import type { SimulatedFleet } from "./simulated-fleet.ts";
import type { SimulationOptions } from "./simulation-options.ts";
import type { LatencyReport, Sample, SimulationReport } from "./simulation-report.ts";
import { AS_NEAR_MS } from "./world.ts";
import type { World } from "./world.ts";

const MAX_SAMPLES = 10_000;
const BUSIEST = 10;
const WAIT_STEP_MS = 250;
const WAIT_STEPS = 4000;

export class Recorder {
  placements = 0;
  forwarded = 0;
  toDeadNodes = 0;
  queueFull = 0;
  movedByLoss = 0;
  lostNodes = 0;
  released = 0;
  /** Nodes that were not empty at the end of their time, and who still played there. */
  cutOff = 0;
  interrupted = 0;
  /** By node: since when it drains. */
  readonly draining: Float64Array;
  /** 0.1 us to 400. */
  readonly routingMicros: Histogram = new Histogram(0.1, 4000);
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #fleet: SimulatedFleet;
  readonly #store: CountingStore;
  readonly #phases: Map<string, PlacementStats> = new Map();
  readonly #byKnowledge: Map<string, PlacementStats> = new Map();
  readonly #bySize: Map<string, PlacementStats> = new Map();
  readonly #all = new PlacementStats();
  readonly #waited = new Histogram(WAIT_STEP_MS, WAIT_STEPS);
  readonly #back = new Histogram(WAIT_STEP_MS, WAIT_STEPS);
  readonly #drain = new Histogram(60_000, 1000);
  /** By region. */
  readonly #forced: Float64Array;
  readonly #samples: Sample[] = [];
  #arrived = 0;
  #finished = 0;
  #pending = 0;
  #gaveUp = 0;
  #forcedCount = 0;
  #chosenCount = 0;
  #placedInSecond = 0;
  #peakPerSec = 0;
  /** At the last sample, and since. */
  #before = { placements: 0, forced: 0, chosen: 0, writes: 0 };
  #recent = new Histogram(0.5, 1200);

  constructor(options: SimulationOptions, world: World, fleet: SimulatedFleet, store: CountingStore) {
    this.#options = options;
    this.#world = world;
    this.#fleet = fleet;
    this.#store = store;
    this.draining = new Float64Array(fleet.maxNodes);
    this.#forced = new Float64Array(world.regions.length);
  }

  arrived(players: number): void {
    this.#arrived += players;
    this.#pending += players;
  }

  finished(players: number): void {
    this.#finished += players;
  }

  interruptedPlayers(players: number): void {
    this.#pending += players;
  }

  gaveUp(players: number): void {
    this.#gaveUp += players;
    this.#pending -= players;
  }

  drained(node: number, at: number): void {
    this.#drain.add(at - this.draining[node]);
  }

  /** Before its seats are taken: what was possible then is compared. */
  placed(party: Party, node: number, version: number, phase: string, at: number): void {
    this.#pending -= party.players.length;
    if (at < 0) return;
    this.placements++;
    this.#placedInSecond++;
    if (party.movedAt >= 0) this.#back.add(at - party.movedAt);
    if (party.queuedSince >= 0 || (party.movedAt < 0 && at > party.wantsSince)) this.#waited.add(at - party.wantsSince);
    const placedMs = this.#roundTripMs(party, this.#fleet.region[node]);
    const nearestMs = this.#nearestMs(party, -1);
    const roomMs = Math.min(placedMs, this.#nearestMs(party, version));
    if (roomMs > nearestMs + AS_NEAR_MS) {
      this.#forcedCount++;
      this.#forced[party.home]++;
    }
    if (placedMs > roomMs + AS_NEAR_MS) this.#chosenCount++;
    this.#all.add(placedMs, roomMs, nearestMs);
    statsOf(this.#phases, phase).add(placedMs, roomMs, nearestMs);
    statsOf(this.#byKnowledge, knowledgeOf(party)).add(placedMs, roomMs, nearestMs);
    statsOf(this.#bySize, SIZES[party.players.length]).add(placedMs, roomMs, nearestMs);
    this.#recent.add(placedMs - roomMs);
  }

  second(at: number): void {
    if (at < 0) return;
    this.#store.endSecond();
    this.#peakPerSec = Math.max(this.#peakPerSec, this.#placedInSecond);
    this.#placedInSecond = 0;
  }

  sample(at: number, sampleMs: number): void {
    if (this.#samples.length >= MAX_SAMPLES) return;
    const fleet = this.#fleet;
    const seconds = sampleMs / 1000;
    const now = {
      placements: this.placements,
      forced: this.#forcedCount,
      chosen: this.#chosenCount,
      writes: this.#store.writes,
    };
    const placements = Math.max(1, now.placements - this.#before.placements);
    const { mean, p99 } = this.#recent.quantiles;
    const [old, fresh] = fleet.readyNodes.map((byRegion) => byRegion.reduce((a, b) => a + b, 0));
    let drainingNodes = 0;
    for (let node = 0; node < fleet.end; node++) if (fleet.state[node] === DRAINING) drainingNodes++;
    this.#samples.push({
      hour: round(at / 3_600_000),
      playing: fleet.playing,
      waiting: this.#pending,
      seats: fleet.readySeats,
      readyNodes: old + fresh,
      drainingNodes,
      emptyNodes: fleet.emptyNodes(),
      fullNodes: fleet.fullNodes(),
      placementsPerSec: round((now.placements - this.#before.placements) / seconds),
      excessMeanMs: mean,
      excessP99Ms: p99,
      forcedShare: round((now.forced - this.#before.forced) / placements, 4),
      chosenShare: round((now.chosen - this.#before.chosen) / placements, 4),
      storeWritesPerSec: round((now.writes - this.#before.writes) / seconds),
      releasedShare: round(fresh / Math.max(1, old + fresh), 4),
    });
    this.#before = now;
    this.#recent = new Histogram(0.5, 1200);
  }

  /** What was counted before the week began is forgotten, players apart. */
  beginWeek(): void {
    this.#store.reset();
    this.#fleet.resetCounts();
    this.forwarded = 0;
    this.toDeadNodes = 0;
    this.queueFull = 0;
  }

  report(completed: number): SimulationReport {
    const options = this.#options;
    const fleet = this.#fleet;
    const store = this.#store;
    const seconds = Math.max(1, completed * options.days * 24 * 3600);
    const regions = Array.from(this.#forced, (forcedElsewhere, i) => ({
      region: this.#world.regions[i].name,
      forcedElsewhere,
    })).filter(({ forcedElsewhere }) => forcedElsewhere > 0);
    return {
      scale: {
        nodes: options.nodes,
        regions: options.regions,
        players: options.players,
        seats: options.nodes * options.seatsPerNode,
        balancers: options.balancers,
        days: options.days,
        seed: options.seed,
        strategy: options.config.routing.strategy,
        incidents: options.incidents,
      },
      completed: round(completed, 4),
      players: {
        arrived: this.#arrived,
        finished: this.#finished,
        playing: fleet.playing,
        waiting: this.#pending,
        gaveUp: this.#gaveUp,
      },
      placements: {
        count: this.placements,
        peakPerSec: this.#peakPerSec,
        toDeadNodes: this.toDeadNodes,
        forwarded: this.forwarded,
      },
      latency: {
        all: this.#all.report,
        ...reportsOf(this.#phases),
      },
      latencyByKnowledge: reportsOf(this.#byKnowledge),
      latencyBySize: reportsOf(this.#bySize),
      overload: {
        nodesAboveCapacity: fleet.overloads,
        regionsOverflowed: regions.length,
        forcedElsewhere: this.#forcedCount,
        chosenElsewhere: this.#chosenCount,
        waited: this.#waited.quantiles,
        queueFull: this.queueFull,
        busiestRegions: regions.sort((a, b) => b.forcedElsewhere - a.forcedElsewhere).slice(0, BUSIEST),
      },
      churn: {
        started: fleet.started,
        drained: fleet.drained,
        stopped: fleet.stopped,
        lostNodes: this.lostNodes,
        movedByLoss: this.movedByLoss,
        backAfterMs: this.#back.quantiles,
        released: this.released,
        releasedUninterrupted: this.released - this.cutOff,
        interruptedByRelease: this.interrupted,
        drainMs: this.#drain.quantiles,
      },
      store: {
        writes: store.writes,
        meanPerSec: round(store.writes / seconds),
        peakPerSec: store.peakPerSec,
        byKind: structuredClone(store.counts),
      },
      routingMicros: this.routingMicros.quantiles,
      samples: this.#samples,
    };
  }

  #roundTripMs({ places, accessMs }: Party, region: number): number {
    let worst = 0;
    for (let i = 0; i < places.length; i++)
      worst = Math.max(worst, this.#world.roundTripMs(places[i], region) + accessMs[i]);
    return worst;
  }

  /** Of the region that is best for the worst of them; -1: whether there is room or not. */
  #nearestMs(party: Party, version: number): number {
    const { places } = party;
    const seats = places.length;
    const order = this.#world.nearest[places[0]];
    let best = Infinity;
    for (const region of order) {
      // Nobody of them is nearer to the regions that follow than the first one is.
      if (best < Infinity && this.#world.roundTripMs(places[0], region) + party.accessMs[0] >= best) return best;
      if (version >= 0 && !this.#fleet.hasRoom(version, region, seats)) continue;
      best = Math.min(best, this.#roundTripMs(party, region));
    }
    return best;
  }
}

const SIZES = ["0", "1", "2", "3", "4"];

function knowledgeOf({ clients: [{ location, latencies }] }: Party): string {
  return latencies === undefined ? (location?.source ?? "unknown") : "measured";
}

function statsOf(all: Map<string, PlacementStats>, key: string): PlacementStats {
  let stats = all.get(key);
  if (stats === undefined) all.set(key, (stats = new PlacementStats()));
  return stats;
}

function reportsOf(all: ReadonlyMap<string, PlacementStats>): Record<string, LatencyReport> {
  return Object.fromEntries([...all].map(([key, stats]) => [key, stats.report]));
}
