// fast-check, with properties that run longer and from a fresh seed. A failure prints its seed and path as always.
import { assert as assertOnce } from "fast-check";
import type { IRawProperty, Parameters } from "fast-check";

export * from "fast-check";

type Property = IRawProperty<unknown>;

const factor = Number(process.env.SOAK_FACTOR ?? 20);
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31);

export const assert = ((property: Property, parameters: Parameters<unknown>) =>
  assertOnce(property, { ...parameters, seed, numRuns: (parameters.numRuns ?? 100) * factor })) as typeof assertOnce;
