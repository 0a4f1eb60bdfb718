/** `riposte balancer` as a process of its own. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { Child } from "./child.ts";

const RIPOSTE = new URL("../../src/riposte.ts", import.meta.url).pathname;
const STARTS_WITHIN_MS = 20_000;

export interface BalancerProcessOptions {
  readonly id: string;
  /** In hex, as are the other secrets. */
  readonly fleetSecret: string;
  readonly nodeSecret: string;
  readonly operatorSecret?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly store?: string;
  readonly peers?: readonly string[];
  /** A file. Default: limits that are no limits for a test's players, who all come from one address. */
  readonly config?: string;
  /** More options of the command. */
  readonly args?: readonly string[];
  /** Of Node itself. */
  readonly execArgv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export class BalancerProcess extends Child {
  readonly id: string;
  readonly port: number;
  readonly url: string;
  readonly options: BalancerProcessOptions;
  /** What it has said. */
  said = "";

  private constructor(options: BalancerProcessOptions, port: number) {
    const {
      id,
      fleetSecret,
      nodeSecret,
      operatorSecret,
      store = "memory",
      peers = [],
      args = [],
      execArgv = [],
    } = options;
    const config = options.config ?? new URL("../open-limits.json", import.meta.url).pathname;
    const words = ["balancer", "--port", String(port), "--host", "127.0.0.1", "--id", id, "--no-geoip"];
    words.push("--secret", fleetSecret, "--node-key", `k:${nodeSecret}`, "--config", config);
    if (operatorSecret !== undefined) words.push("--operator-secret", operatorSecret);
    words.push("--store", store);
    if (peers.length > 0) words.push("--peer", ...peers);
    const argv = [...execArgv, RIPOSTE, ...words, ...args];
    super(process.execPath, argv, ["ignore", "ignore", "pipe"], { ...process.env, ...options.env });
    this.id = id;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.options = options;
    this.process.stderr?.on("data", (bytes: Buffer) => {
      this.said = (this.said + bytes.toString()).slice(-65_536);
    });
  }

  /** When it answers. */
  static async start(options: BalancerProcessOptions): Promise<BalancerProcess> {
    const balancer = new BalancerProcess(options, options.port ?? (await freePort()));
    const startedAt = performance.now();
    while (!balancer.said.includes(`balancer ${options.id} at `)) {
      if (balancer.downSince !== undefined || performance.now() - startedAt > STARTS_WITHIN_MS) {
        await balancer.kill();
        throw new Error(`balancer ${options.id} has not started: ${balancer.said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return balancer;
  }
}

export async function freePort(host: string = "127.0.0.1"): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}
