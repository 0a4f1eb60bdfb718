import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Two processors to bind a server and a client to. Left to the scheduler, the two sometimes share one and sometimes do
 * not, and an echo costs half as much when they do. Undefined where there is no `taskset` or only one processor.
 */
export function twoCores(): readonly [string, string] | undefined {
  if (process.platform !== "linux" || spawnSync("taskset", ["--version"], { stdio: "ignore" }).status !== 0)
    return undefined;
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const cores = allowed.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
  });
  return cores.length < 2 ? undefined : [cores[0], cores[1]];
}
