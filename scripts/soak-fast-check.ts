// fast-check, with properties that run longer and from a fresh seed. A failure prints its seed and path as always.
import { assert as assertOnce } from "fast-check";

export * from "fast-check";

const factor = Number(process.env.SOAK_FACTOR ?? 20);
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);

export const assert: typeof assertOnce = (property, parameters) =>
  assertOnce(property, { ...parameters, seed, numRuns: (parameters?.numRuns ?? 100) * factor });
