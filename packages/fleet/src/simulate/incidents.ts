/**
 * What happens in the week, by seventh parts of the simulated time: at two sevenths the largest region is lost for two hours; from
 * three to five a release is rolled out, in each region from four in the morning by its own time on; at five the world is told
 * that everybody plays this now: three times as many come within half an hour, and it takes hours to calm down.
 */
import type { Recorder } from "./recorder.ts";
import { Release } from "./release.ts";
import { READY } from "./simulated-fleet.ts";
import type { SimulatedFleet } from "./simulated-fleet.ts";
import type { Simulation } from "./simulation.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
const LOSS_MS = 2 * HOUR_MS;
/** After it was back, what comes is still a consequence. */
const RECOVERY_MS = 2 * HOUR_MS;
const SPIKE_FACTOR = 3;
const SPIKE_RISE_MS = HOUR_MS / 2;
const SPIKE_HOLD_MS = HOUR_MS / 2;
const SPIKE_HALF_LIFE_MS = 1.5 * HOUR_MS;
const SPIKE_MS = 6 * HOUR_MS;
const SPIKE_STEP_MS = 60_000;
const ROLL_OUT_HOUR = 4;

export interface IncidentsOptions {
  readonly simulation: Simulation;
  readonly world: World;
  readonly fleet: SimulatedFleet;
  readonly recorder: Recorder;
}

export class Incidents {
  /** What happens now, for the report. */
  phase = "calm";
  readonly #options: IncidentsOptions;
  readonly #release: Release;

  constructor(options: IncidentsOptions) {
    this.#options = options;
    const { fleet, world, simulation } = options;
    this.#release = new Release({
      fleet,
      regions: world.regions.length,
      drain: (node) => simulation.drainNode(node, true),
    });
  }

  plan(): void {
    const { simulation } = this.#options;
    const { incidents } = simulation.options;
    const part = simulation.endMs / 7;
    if (incidents.includes("loss")) this.#planLoss(2 * part);
    if (incidents.includes("release")) this.#planRelease(3 * part, 5 * part);
    if (incidents.includes("spike")) this.#planSpike(5 * part);
  }

  /** For which the players ask who are nearest to that region. */
  versionOf(home: number): number {
    return this.#release.versions[home];
  }

  /** What a node that starts there should have. */
  versionFor(region: number): number {
    return this.#release.versionFor(region);
  }

  ready(region: number): void {
    this.#release.check(region);
  }

  /** A node has been drained to be replaced, and stopped. */
  stopped(region: number): void {
    const { simulation, recorder } = this.#options;
    recorder.released++;
    simulation.startNode(region, this.#release.versionFor(region));
  }

  #planLoss(at: number): void {
    const { simulation, world, fleet, recorder } = this.#options;
    const largest = world.regions.reduce((a, b, i) => (b.nodes > world.regions[a].nodes ? i : a), 0);
    const lost: number[] = [];
    simulation.at(at, () => {
      this.phase = "loss";
      for (let node = 0; node < fleet.end; node++)
        if (fleet.region[node] === largest && fleet.state[node] === READY) lost.push(node);
      recorder.lostNodes += lost.length;
      simulation.loseNodes(lost);
    });
    simulation.at(at + LOSS_MS, () => {
      this.phase = "recovery";
      for (const node of lost) simulation.reviveNode(node, this.#release.versionFor(largest));
    });
    simulation.at(at + LOSS_MS + RECOVERY_MS, () => {
      this.phase = "calm";
    });
  }

  #planRelease(from: number, to: number): void {
    const { simulation, world } = this.#options;
    simulation.at(from, () => {
      this.phase = "release";
    });
    simulation.at(to, () => {
      if (this.phase === "release") this.phase = "calm";
    });
    world.regions.forEach(({ place }, region) => {
      const localHour = from / HOUR_MS + world.places[place].utcOffsetHours;
      const share = ((((ROLL_OUT_HOUR - localHour) % 24) + 24) % 24) / 24;
      // The last region needs as long as the others, and has to be through by the end.
      simulation.at(from + (share * (to - from)) / 2, () => this.#release.begin(region));
    });
  }

  #planSpike(from: number): void {
    const { simulation } = this.#options;
    for (let ms = 0; ms <= SPIKE_MS; ms += SPIKE_STEP_MS)
      simulation.at(from + ms, () => {
        this.phase = ms < SPIKE_MS ? "spike" : "calm";
        simulation.setDemand(ms < SPIKE_MS ? spikeFactor(ms) : 1);
      });
  }
}

function spikeFactor(ms: number): number {
  if (ms < SPIKE_RISE_MS) return 1 + (SPIKE_FACTOR - 1) * (ms / SPIKE_RISE_MS);
  const after = Math.max(0, ms - SPIKE_RISE_MS - SPIKE_HOLD_MS);
  return 1 + (SPIKE_FACTOR - 1) * 2 ** (-after / SPIKE_HALF_LIFE_MS);
}
