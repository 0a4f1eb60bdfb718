/** Programs of tests: killed (`kill -9`), stopped and continued by their own pids, and ended with the test process. */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { findPeer } from "../../../../scripts/peers.mjs";

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class Child {
  readonly process: ChildProcess;
  /** When it was killed or stopped, by `performance.now`; undefined: it runs. */
  downSince: number | undefined;

  constructor(program: string, args: readonly string[], stdio: StdioOptions, env: NodeJS.ProcessEnv = process.env) {
    // Ends with this process even where that is killed: setpriv becomes the program, with the same pid.
    const words = findPeer("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];
    const [command, ...rest] = [...words, program, ...args];
    this.process = spawn(command, rest, { stdio, env });
    running.add(this.process);
    this.process.once("exit", () => {
      this.downSince ??= performance.now();
      running.delete(this.process);
    });
    // Of a command that cannot be started: it has exited.
    this.process.once("error", () => running.delete(this.process));
  }

  /** kill -9. Resolves when it has gone. */
  async kill(): Promise<void> {
    if (!running.has(this.process)) return;
    const gone = once(this.process, "exit");
    this.process.kill("SIGKILL");
    this.downSince ??= performance.now();
    await gone;
  }

  stop(): void {
    this.process.kill("SIGSTOP");
    this.downSince = performance.now();
  }

  continue(): void {
    this.process.kill("SIGCONT");
    this.downSince = undefined;
  }

  /** Asks it to end, as an operator does. Resolves when it has. */
  async end(): Promise<void> {
    if (!running.has(this.process)) return;
    const gone = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await gone;
  }
}
