/** In production a bad network cannot be simulated, and the code that could do it is not even loaded. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Outcome {
  readonly modules: number;
  /** Modules loaded that have to do with simulating, while a server was played on. */
  readonly simulating: readonly string[];
  readonly canSimulate: boolean;
  /** server.simulate, network.simulateNetworkConditions for all and for one, the option of `listen`. */
  readonly refused: readonly boolean[];
}

async function play(nodeEnv: string | undefined, environment?: string): Promise<Outcome> {
  const { NODE_ENV: _inherited, ...env } = process.env;
  const { stdout } = await run(
    process.execPath,
    [join(import.meta.dirname, "production-child.ts"), ...(environment === undefined ? [] : [environment])],
    { env: { ...env, ...(nodeEnv !== undefined && { NODE_ENV: nodeEnv }) }, timeout: 60_000 },
  );
  return JSON.parse(stdout) as Outcome;
}

for (const [name, nodeEnv, environment] of [
  ["NODE_ENV=production", "production", undefined],
  ['environment: "production"', undefined, "production"],
  ["NODE_ENV=production, whatever the program says", "production", "development"],
] as const) {
  test(`${name}: no simulation, and none of its code`, async () => {
    const { modules, simulating, canSimulate, refused } = await play(nodeEnv, environment);
    assert.ok(modules > 100, `${modules} modules were seen`);
    assert.deepEqual(simulating, []);
    assert.equal(canSimulate, false);
    assert.deepEqual(refused, [true, true, true, true]);
  });
}

test("in development there is: so the tests above can fail", async () => {
  const { simulating, canSimulate, refused } = await play(undefined);
  assert.ok(simulating.includes("simulated-carrier.ts"), simulating.join());
  assert.ok(simulating.includes("network-condition-simulator.ts"));
  assert.equal(canSimulate, true);
  assert.deepEqual(refused, [false, false, false, false]);
});
