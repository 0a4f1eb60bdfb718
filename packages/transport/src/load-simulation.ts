import type { SimulatedCarrier } from "./simulated-carrier.ts";

/** The simulation, where it is allowed (`allowed`; default: not when NODE_ENV is "production"). Elsewhere its code is not even loaded. */
export async function loadSimulation(allowed: boolean | undefined): Promise<typeof SimulatedCarrier | undefined> {
  if (!(allowed ?? process.env.NODE_ENV !== "production")) return undefined;
  const module = await import("./simulated-carrier.ts");
  return module.SimulatedCarrier;
}
