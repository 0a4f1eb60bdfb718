import { test } from "node:test";
import { MemoryHarness, carrierCompliance } from "../src/index.ts";

for (const { name, run } of carrierCompliance("memory", () => Promise.resolve(new MemoryHarness({ seed: 1 })))) {
  test(name, run);
}
const link = { latencyMs: 40, jitterMs: 10 };
const open = () => Promise.resolve(new MemoryHarness({ seed: 2, conditions: link }));
for (const { name, run } of carrierCompliance("memory, 80 ms away", open)) test(name, run);
