/** `riposte simulate` as a process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import type { SimulationReport } from "@riposte/fleet/simulate";

const RIPOSTE = new URL("../src/riposte.ts", import.meta.url).pathname;
const TINY = ["--nodes", "60", "--regions", "6", "--players", "20000"];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], onStderr?: (said: string, interrupt: () => void) => void): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const child = spawn(process.execPath, [RIPOSTE, "simulate", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
    onStderr?.(stderr, () => child.kill("SIGINT"));
  });
  child.on("error", reject);
  child.on("close", (code) => resolve({ code, stdout, stderr }));
  return promise;
}

describe("riposte simulate", { timeout: 120_000 }, () => {
  it("gives its report as JSON", async () => {
    const { code, stdout, stderr } = await run([...TINY, "--days", "0.5", "--seed", "3", "--json", "--no-progress"]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    const report = JSON.parse(stdout) as SimulationReport & { readonly run: { readonly peakMemoryMb: number } };
    assert.deepEqual([report.scale.nodes, report.scale.regions, report.scale.seed], [60, 6, 3]);
    assert.equal(report.completed, 1);
    assert.equal(report.overload.nodesAboveCapacity, 0);
    assert.ok(report.latency.all.placed.count > 100);
    assert.ok(report.routingMicros.count > 0 && report.routingMicros.p50 > 0);
    assert.ok(report.run.peakMemoryMb > 10);
  });

  it("compares ways of routing, as a table", async () => {
    const { code, stdout } = await run([...TINY, "--days", "0.1", "--incidents", "none", "--compare", "--no-progress"]);
    assert.equal(code, 0);
    for (const name of ["composite, packed", "geographic", "powerOfTwo", "leastLoad"])
      assert.match(stdout, new RegExp(`^${name} .*\\d`, "m"));
  });

  it("ends with what there is on Ctrl-C, and says how far it is meanwhile", async () => {
    const { code, stdout, stderr } = await run(["--json"], (said, interrupt) => {
      if (said.includes("\n")) interrupt();
    });
    assert.equal(code, 0);
    assert.match(stderr, /^\d+\.\d %, day \d \d\d:00, \d+ placements\/s, \d+ s to go$/m);
    const report = JSON.parse(stdout) as SimulationReport;
    assert.ok(report.completed < 1);
    const { arrived, finished, playing, waiting, gaveUp } = report.players;
    assert.equal(arrived, finished + playing + waiting + gaveUp);
  });

  it("says what is wrong with what it was given", async () => {
    for (const [args, said] of [
      [["--nodes", "many"], /nodes: many is no number/],
      [["--incidents", "flood"], /--incidents flood: give "none", or some of loss,release,spike/],
      [["--strategy", "best"], /strategy/],
      [["--nodes", "5", "--regions", "6"], /regions must be a whole number from 1 to 5/],
    ] as const) {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, said);
    }
  });
});
