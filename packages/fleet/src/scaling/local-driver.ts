/**
 * Starts game servers as processes of this machine. They are children of this process: they end with it, and none that runs
 * already is adopted. Nothing is restarted here: a process that ends is missed by the scaler.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { logOutput } from "./log-output.ts";
import type { ScalingDriver } from "./scaling-driver.ts";

export interface LocalDriverOptions {
  readonly command: string;
  /** With `{id}`, `{region}` and `{port}` filled in. Default: none. */
  readonly args?: readonly string[];
  /** The environment, filled in as well; RIPOSTE_NODE_ID, RIPOSTE_REGION and RIPOSTE_PORT come to it. Default: this process' own. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** One for each process, both included. Default 7777 to 7840. */
  readonly ports?: { readonly from: number; readonly to: number };
  /** Default 64. */
  readonly maxProcesses?: number;
  /** From SIGTERM to SIGKILL. Default 10000 ms. */
  readonly graceMs?: number;
  readonly log: (line: string) => void;
}

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly ended: Promise<void>;
}

const MAX_ENDED = 1024;
const REGION = /^[A-Za-z0-9._-]{1,48}$/;

export class LocalDriver implements ScalingDriver {
  readonly kind = "local";
  readonly #options: LocalDriverOptions;
  readonly #ports: { readonly from: number; readonly to: number };
  readonly #maxProcesses: number;
  /** By node id. */
  readonly #children: Map<string, Child> = new Map();
  /** Ids of the last that have ended. */
  readonly #ended: Set<string> = new Set();
  #lastPort: number;
  #closed = false;

  constructor(options: LocalDriverOptions) {
    const { ports = { from: 7777, to: 7840 }, maxProcesses = 64 } = options;
    if (!(ports.from >= 1 && ports.to <= 65_535 && ports.from <= ports.to))
      throw new RangeError(`ports ${ports.from} to ${ports.to} are none`);
    if (!(maxProcesses >= 1)) throw new RangeError(`maxProcesses is ${maxProcesses}`);
    this.#options = options;
    this.#ports = ports;
    this.#lastPort = ports.to;
    this.#maxProcesses = maxProcesses;
  }

  /** Processes that run. */
  get size(): number {
    return this.#children.size;
  }

  async start(region: string, signal: AbortSignal): Promise<string> {
    const { command, args = [], env = process.env, cwd, log } = this.#options;
    signal.throwIfAborted();
    if (this.#closed) throw new Error("the driver is closed");
    if (!REGION.test(region)) throw new RangeError(`region "${region}" cannot be part of a node's id`);
    if (this.#children.size >= this.#maxProcesses)
      throw new RangeError(`${this.#children.size} processes run, which is maxProcesses`);
    const port = this.#freePort();
    const id = `${region}-${randomBytes(4).toString("hex")}`;
    const fill = (text: string): string =>
      text.replaceAll("{id}", id).replaceAll("{region}", region).replaceAll("{port}", String(port));
    const own = { RIPOSTE_NODE_ID: id, RIPOSTE_REGION: region, RIPOSTE_PORT: String(port) };
    const filled = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value && fill(value)]));
    const child = spawn(command, args.map(fill), {
      env: { ...filled, ...own },
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#children.set(id, { process: child, port, ended });
    child.once("exit", (code, killedBy) => {
      log(`[${id}] has ended: ${killedBy ?? `code ${code}`}`);
      this.#children.delete(id);
      this.#rememberEnded(id);
      end();
    });
    for (const stream of [child.stdout, child.stderr]) logOutput(stream, (line) => log(`[${id}] ${line}`));
    try {
      await once(child, "spawn");
    } catch (error) {
      this.#children.delete(id);
      end();
      throw error;
    }
    // Also of a signal that cannot be sent: it must not end this process.
    child.on("error", (error) => log(`[${id}] ${error.message}`));
    log(`[${id}] runs as process ${child.pid}, port ${port}`);
    return id;
  }

  async stop(nodeId: string): Promise<void> {
    const child = this.#children.get(nodeId);
    if (child === undefined) return;
    child.process.kill("SIGTERM");
    const timer = setTimeout(() => child.process.kill("SIGKILL"), this.#options.graceMs ?? 10_000);
    await child.ended;
    clearTimeout(timer);
  }

  owns(nodeId: string): boolean {
    return this.#children.has(nodeId) || this.#ended.has(nodeId);
  }

  hasEnded(nodeId: string): Promise<boolean> {
    return Promise.resolve(!this.#children.has(nodeId));
  }

  /** Ends all its processes, and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#children.keys(), (id) => this.stop(id)));
  }

  #rememberEnded(id: string): void {
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size > MAX_ENDED) this.#ended.delete(oldest);
  }

  #freePort(): number {
    const { from, to } = this.#ports;
    const used = new Set(Array.from(this.#children.values(), ({ port }) => port));
    for (let i = 0; i <= to - from; i++) {
      const port = from + ((this.#lastPort - from + 1 + i) % (to - from + 1));
      if (used.has(port)) continue;
      this.#lastPort = port;
      return port;
    }
    throw new RangeError(`all ports from ${from} to ${to} are in use`);
  }
}
