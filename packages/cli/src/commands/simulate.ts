/** `riposte simulate`: a fleet over days of virtual time; the report on stdout, progress on stderr. Ctrl-C ends it with what there is. */
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { setImmediate as settled } from "node:timers/promises";
import { FULL_SCALE, INCIDENTS, routingVariants, Simulation, simulationConfig } from "@riposte/fleet/simulate";
import type { Incident, SimulationOptions, SimulationReport } from "@riposte/fleet/simulate";
import { comparisonText, reportText } from "./simulate-text.ts";

export interface SimulateCommandOptions {
  readonly scale: "small" | "full";
  readonly nodes?: string;
  readonly regions?: string;
  readonly players?: string;
  readonly days?: string;
  readonly seed?: string;
  readonly incidents?: string;
  readonly strategy?: string;
  readonly config?: string;
  readonly balancers?: string;
  readonly seats?: string;
  readonly sessions?: string;
  readonly fixed: boolean;
  readonly compare: boolean;
  readonly json: boolean;
  readonly progress: boolean;
}

/** Where and how it ran. */
export interface SimulationRun {
  readonly date: string;
  readonly node: string;
  readonly cpu: string;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}

/** Of simulated time, between two looks at the outside. */
const STEP_MS = 5000;
const PROGRESS_EVERY_MS = 2000;

/** Rejects with a `RangeError` that says what is wrong with the options. */
export async function runSimulate(options: SimulateCommandOptions): Promise<void> {
  const simulated = await simulationOptionsOf(options);
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  process.once("SIGINT", abort);
  try {
    if (options.compare) await compare(simulated, options, stop.signal);
    else {
      const { report, run } = await simulate(simulated, options.progress, stop.signal);
      console.log(options.json ? JSON.stringify({ ...report, run }) : reportText(report, run));
    }
  } finally {
    process.off("SIGINT", abort);
  }
}

async function compare(
  simulated: Partial<SimulationOptions>,
  options: SimulateCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const reports: Record<string, SimulationReport & { readonly run: SimulationRun }> = {};
  for (const [name, config] of routingVariants(simulated.config ?? simulationConfig({}))) {
    if (signal.aborted) break;
    if (options.progress) console.error(name);
    const { report, run } = await simulate({ ...simulated, config }, options.progress, signal);
    reports[name] = { ...report, run };
  }
  console.log(options.json ? JSON.stringify(reports) : comparisonText(reports));
}

async function simulate(
  options: Partial<SimulationOptions>,
  says: boolean,
  signal: AbortSignal,
): Promise<{ readonly report: SimulationReport; readonly run: SimulationRun }> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const simulation = new Simulation({ ...options, clock: () => performance.now() });
  let saidAt = began;
  let placed = 0;
  while (!simulation.done && !signal.aborted) {
    simulation.advance(STEP_MS);
    // Promises of the store, and Ctrl-C.
    await settled();
    const now = performance.now();
    if (!says || now - saidAt < PROGRESS_EVERY_MS) continue;
    const perSec = ((simulation.placements - placed) * 1000) / (now - saidAt);
    const restMs = ((now - began) * (1 - simulation.progress)) / Math.max(1e-6, simulation.progress);
    console.error(progressLine(simulation, perSec, restMs));
    saidAt = now;
    placed = simulation.placements;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const run: SimulationRun = {
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    wallSeconds: Math.round((performance.now() - began) / 100) / 10,
    cpuSeconds: Math.round((user + system) / 1e5) / 10,
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  return { report: simulation.report, run };
}

function progressLine(simulation: Simulation, perSec: number, restMs: number): string {
  const hours = Math.max(0, simulation.atMs / 3_600_000);
  const day = `day ${Math.floor(hours / 24)} ${String(Math.floor(hours % 24)).padStart(2, "0")}:00`;
  const percent = (100 * simulation.progress).toFixed(1);
  return `${percent} %, ${day}, ${Math.round(perSec)} placements/s, ${Math.ceil(restMs / 1000)} s to go`;
}

async function simulationOptionsOf(options: SimulateCommandOptions): Promise<Partial<SimulationOptions>> {
  const { scale, strategy, config: file } = options;
  const patch: unknown = file === undefined ? {} : JSON.parse(await readFile(file, "utf8"));
  const configured = simulationConfig(patch);
  const config = strategy === undefined ? configured : simulationConfig(withStrategy(patch, strategy));
  const numbers = {
    nodes: options.nodes,
    regions: options.regions,
    players: options.players,
    days: options.days,
    seed: options.seed,
    balancers: options.balancers,
    seatsPerNode: options.seats,
    sessionsPerWeek: options.sessions,
  };
  return {
    ...(scale === "full" ? FULL_SCALE : {}),
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([name, text]) => (text === undefined ? [] : [[name, numberOf(name, text)]])),
    ),
    ...(options.incidents === undefined ? {} : { incidents: incidentsOf(options.incidents) }),
    scaling: !options.fixed,
    config,
  };
}

function withStrategy(patch: unknown, strategy: string): unknown {
  const given = patch as { readonly routing?: object };
  return { ...given, routing: { ...given.routing, strategy } };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new RangeError(`${name}: ${text} is no number`);
  return value;
}

function incidentsOf(text: string): readonly Incident[] {
  if (text === "none") return [];
  return text.split(",").map((name) => {
    const incident = INCIDENTS.find((one) => one === name.trim());
    if (incident === undefined)
      throw new RangeError(`--incidents ${name}: give "none", or some of ${INCIDENTS.join()}`);
    return incident;
  });
}
