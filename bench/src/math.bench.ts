/**
 * What the same bits in every engine cost: each function of `@riposte/simulation/math` beside the engine's own, in CPU
 * time a call, over arguments as games have them. They take turns; a figure is the median of the rounds.
 */
import * as deterministic from "@riposte/simulation/math";
import type { Bench } from "./bench.ts";
import { median, spread } from "./statistics.ts";

const ROUNDS = 15;
const ARGUMENTS = 1 << 12;
const PASSES = 50;

type Name = "sin" | "cos" | "tan" | "atan2" | "exp" | "log" | "pow" | "hypot";
type Evaluate = (x: Float64Array, y: Float64Array) => number;

/** A loop for each function of each library, so that V8 can inline what it inlines in a game. */
const ours: Record<Name, Evaluate> = {
  sin: (x) => x.reduce((sum, value) => sum + deterministic.sin(value), 0),
  cos: (x) => x.reduce((sum, value) => sum + deterministic.cos(value), 0),
  tan: (x) => x.reduce((sum, value) => sum + deterministic.tan(value), 0),
  atan2: (x, y) => x.reduce((sum, value, i) => sum + deterministic.atan2(value, y[i]), 0),
  exp: (x) => x.reduce((sum, value) => sum + deterministic.exp(value), 0),
  log: (_x, y) => y.reduce((sum, value) => sum + deterministic.log(value), 0),
  pow: (x, y) => y.reduce((sum, value, i) => sum + deterministic.pow(value, x[i]), 0),
  hypot: (x, y) => x.reduce((sum, value, i) => sum + deterministic.hypot(value, y[i]), 0),
};
const engine: Record<Name, Evaluate> = {
  sin: (x) => x.reduce((sum, value) => sum + Math.sin(value), 0),
  cos: (x) => x.reduce((sum, value) => sum + Math.cos(value), 0),
  tan: (x) => x.reduce((sum, value) => sum + Math.tan(value), 0),
  atan2: (x, y) => x.reduce((sum, value, i) => sum + Math.atan2(value, y[i]), 0),
  exp: (x) => x.reduce((sum, value) => sum + Math.exp(value), 0),
  log: (_x, y) => y.reduce((sum, value) => sum + Math.log(value), 0),
  pow: (x, y) => y.reduce((sum, value, i) => sum + value ** x[i], 0),
  hypot: (x, y) => x.reduce((sum, value, i) => sum + Math.hypot(value, y[i]), 0),
};

export const bench: Bench = async (note, { full }) => {
  const rounds = full ? 3 * ROUNDS : ROUNDS;
  // Angles of one turn either way, and numbers above 0.
  const x = Float64Array.from({ length: ARGUMENTS }, (_, i) => ((i * 2654435761) % 12566) / 1000 - 6.283);
  const y = Float64Array.from({ length: ARGUMENTS }, (_, i) => ((i * 40503 + 1) % 10007) / 100 + 0.01);
  const figures: Record<string, number> = {};
  const spreads: Record<string, number> = {};
  for (const name of Object.keys(ours) as Name[]) {
    const mine: number[] = [];
    const its: number[] = [];
    for (let round = -2; round < rounds; round++) {
      const a = nsPerCall(ours[name], x, y);
      const b = nsPerCall(engine[name], x, y);
      // The first rounds are for the compiler.
      if (round < 0) continue;
      mine.push(a);
      its.push(b);
    }
    figures[`${name}_ns`] = median(mine);
    figures[`engine_${name}_ns`] = median(its);
    spreads[`${name}_ns`] = spread(mine);
    spreads[`engine_${name}_ns`] = spread(its);
    note(`${name}: ${median(mine).toFixed(1)} ns, Math.${name} ${median(its).toFixed(1)} ns`);
  }
  return await Promise.resolve({ figures, spreads, targets: {}, floors: {} });
};

function nsPerCall(evaluate: Evaluate, x: Float64Array, y: Float64Array): number {
  const before = process.cpuUsage();
  let sum = 0;
  for (let pass = 0; pass < PASSES; pass++) sum += evaluate(x, y);
  const { user, system } = process.cpuUsage(before);
  if (Number.isNaN(sum)) throw new Error("not a number");
  return ((user + system) * 1000) / (PASSES * ARGUMENTS);
}
