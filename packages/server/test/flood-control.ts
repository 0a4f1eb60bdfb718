/**
 * A program, not a test: it ticks as a server does and has nothing to do. How late its ticks are is what the machine does
 * to any process while the attack goes on.
 */
import { once } from "node:events";

export interface ControlReport {
  readonly tickAtMs: readonly number[];
}

const tickMs = Number(process.argv[2]);
let tickAtMs: number[] = [];
let dueAt = performance.now() + tickMs;

function tick(): void {
  const now = performance.now();
  for (; dueAt <= now; dueAt += tickMs) tickAtMs.push(now);
  setTimeout(tick, dueAt - now);
}

process.on("message", (command) => {
  if (command === "begin") tickAtMs = [];
  else process.send?.({ tickAtMs } satisfies ControlReport);
});
tick();
process.send?.(0);
await once(process, "disconnect");
process.exit();
