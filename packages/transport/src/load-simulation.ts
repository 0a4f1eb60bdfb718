import type { SimulatedCarrier } from "./simulated-carrier.ts";

/**
 * The simulation, unless it is switched off (`allowed` is false) or NODE_ENV is "production": there nothing can switch it on, and
 * its code is not even loaded.
 */
export async function loadSimulation(allowed: boolean | undefined): Promise<typeof SimulatedCarrier | undefined> {
  if (allowed === false || process.env.NODE_ENV === "production") return undefined;
  const module = await import("./simulated-carrier.ts");
  return module.SimulatedCarrier;
}
