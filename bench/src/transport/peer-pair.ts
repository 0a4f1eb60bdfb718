/** A server and a client of one peer, each in a process of its own that takes commands (see command-loop.ts and peer.h). */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { EchoResult } from "./echo-window.ts";

export interface PeerOptions {
  /** Program and arguments; the client's get the server's port behind them. */
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Whoever runs echoes on command. */
export interface EchoPeer {
  /** Runs a command that answers with an `EchoResult`, whose CPU time is that of all processes concerned. */
  echo(command: string): Promise<EchoResult>;
  stop(): Promise<void>;
}

/** CPU time and packets, of a process so far or of a command. */
export interface PacketCost {
  readonly cpuMicros: number;
  readonly packets: number;
}

export class PeerPair implements EchoPeer {
  /** What the server said of itself besides its port. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly #server: PeerProcess;
  readonly #client: PeerProcess;

  /** `cores`: the processors that the server and the client are bound to; undefined leaves it to the system. */
  static async start(options: PeerOptions, cores: readonly [string, string] | undefined): Promise<PeerPair> {
    const server = new PeerProcess(bind(options.server, cores?.[0]), options.env);
    const ready = await server.next();
    const client = new PeerProcess([...bind(options.client, cores?.[1]), String(ready.port)], options.env);
    await client.next();
    return new PeerPair(ready, server, client);
  }

  private constructor(ready: Readonly<Record<string, unknown>>, server: PeerProcess, client: PeerProcess) {
    this.ready = ready;
    this.#server = server;
    this.#client = client;
  }

  /** Nothing is under way before and after it, when the server's CPU time is read. */
  async echo(command: string): Promise<EchoResult> {
    const before = await this.askServer("cpu");
    const result = (await this.askClient(command)) as unknown as EchoResult;
    const after = await this.askServer("cpu");
    return { ...result, cpuMicros: result.cpuMicros + after.cpuMicros - before.cpuMicros };
  }

  async askServer(command: string): Promise<PacketCost & Readonly<Record<string, number>>> {
    return (await this.#server.ask(command)) as unknown as PacketCost & Record<string, number>;
  }

  async askClient(command: string): Promise<Record<string, unknown>> {
    return await this.#client.ask(command);
  }

  async stop(): Promise<void> {
    await this.#client.stop();
    await this.#server.stop();
  }
}

/** Server and client in one process. */
export class LonePeer implements EchoPeer {
  readonly #process: PeerProcess;

  static async start(command: readonly string[], core: string | undefined): Promise<LonePeer> {
    const lone = new LonePeer(new PeerProcess(bind(command, core)));
    await lone.#process.next();
    return lone;
  }

  private constructor(process: PeerProcess) {
    this.#process = process;
  }

  async echo(command: string): Promise<EchoResult> {
    return (await this.#process.ask(command)) as unknown as EchoResult;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

class PeerProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#name = command.join(" ");
    this.#child = spawn(command[0], command.slice(1), {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    const { stdin, stdout } = this.#child;
    if (stdin === null || stdout === null) throw new TypeError("no pipes");
    // A process that is gone shows at the next answer that is awaited.
    stdin.on("error", () => {});
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Its next answer. What libraries print besides is passed over. */
  async next(): Promise<Record<string, unknown>> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`${this.#name} ended`);
      if (value.startsWith("{")) return JSON.parse(value) as Record<string, unknown>;
    }
  }

  async ask(command: string): Promise<Record<string, unknown>> {
    this.#child.stdin?.write(`${command}\n`);
    return await this.next();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin?.end();
    const impatient = setTimeout(() => this.#child.kill("SIGKILL"), 2000);
    await exited;
    clearTimeout(impatient);
  }
}

function bind(command: readonly string[], core: string | undefined): readonly string[] {
  return core === undefined ? command : ["taskset", "-c", core, ...command];
}
