/**
 * A real etcd on loopback, of one member or several, each a process that tests kill, freeze, and start again. Members are
 * ended by their pids, also when the test process ends.
 */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { findPeer } from "../../../scripts/peers.mjs";

/** Elections within a second. Pings as often as the store sends them. Who cannot win an election does not hold one. */
const TUNING = ["--heartbeat-interval=50", "--election-timeout=500", "--grpc-keepalive-min-time=500ms", "--pre-vote"];
/** Entries of the log by which a member may be behind and still be up to date. */
const MAX_LAG = 2;
const STARTS_WITHIN_MS = 15_000;
const ANSWERS_WITHIN_MS = 500;
const TRY_EVERY_MS = 20;

export interface EtcdClusterOptions {
  /** Default 3. */
  readonly members?: number;
  /** More of etcd's flags. */
  readonly flags?: readonly string[];
  /** With a certificate that etcd signs itself. */
  readonly tls?: boolean;
}

interface Member {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  process: ChildProcess | undefined;
}

interface MemberStatus {
  readonly id: string;
  /** "0": nobody. */
  readonly leader: string;
  /** Up to where it has carried out the log. */
  readonly applied: number;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class EtcdCluster implements AsyncDisposable {
  /** Data and logs, by member. */
  readonly directory = mkdtempSync(join(tmpdir(), "riposte-etcd-"));
  readonly #options: EtcdClusterOptions;
  #members: readonly Member[] = [];

  private constructor(options: EtcdClusterOptions) {
    this.#options = options;
  }

  /** All members up, and one of them leads. */
  static async start(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    const cluster = new EtcdCluster(options);
    const scheme = options.tls === true ? "https" : "http";
    const ports = await freePorts(2 * (options.members ?? 3));
    cluster.#members = Array.from({ length: options.members ?? 3 }, (_, i) => ({
      name: `etcd-${i}`,
      clientUrl: `${scheme}://127.0.0.1:${ports[2 * i]}`,
      peerUrl: `http://127.0.0.1:${ports[2 * i + 1]}`,
      process: undefined,
    }));
    try {
      await cluster.startAll();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** As `EtcdStore` takes them. */
  get endpoints(): readonly string[] {
    return this.#members.map(({ clientUrl }) => clientUrl);
  }

  /** The first member's own certificate, as `ca`. */
  get certificate(): Buffer {
    return readFileSync(join(this.directory, this.#members[0].name, "fixtures", "client", "cert.pem"));
  }

  async startAll(): Promise<void> {
    for (const member of this.#members) this.#spawn(member);
    await this.ready();
  }

  /** kill -9. */
  async kill(index: number): Promise<void> {
    const child = this.#members[index].process;
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  freeze(index: number): void {
    this.#members[index].process?.kill("SIGSTOP");
  }

  thaw(index: number): void {
    this.#members[index].process?.kill("SIGCONT");
  }

  /** A member that was killed, on the data that it had. */
  start(index: number): void {
    this.#spawn(this.#members[index]);
  }

  /** Kills all members and deletes what they had: they start as a new cluster. */
  async wipe(): Promise<void> {
    await Promise.all(this.#members.map((_, index) => this.kill(index)));
    for (const { name } of this.#members) rmSync(join(this.directory, name), { recursive: true, force: true });
  }

  /** Which member leads, when all are up to date. */
  async leader(): Promise<number> {
    for (;;) {
      await this.ready();
      const states = await Promise.all(this.#members.map((member) => this.#status(member)));
      const index = states.findIndex((state) => state !== undefined && state.id === state.leader);
      if (index !== -1) return index;
    }
  }

  /** All members that run follow the same leader and are up to date. */
  async ready(): Promise<void> {
    const deadline = performance.now() + STARTS_WITHIN_MS;
    for (;;) {
      const started = this.#members.filter((member) => member.process !== undefined);
      const states = await Promise.all(started.map((member) => this.#status(member)));
      const leaders = new Set(states.map((state) => state?.leader));
      const applied = states.map((state) => state?.applied ?? 0);
      const together = Math.max(...applied) - Math.min(...applied) <= MAX_LAG;
      if (together && leaders.size === 1 && !leaders.has(undefined) && !leaders.has("0")) return;
      if (performance.now() > deadline) throw new Error(`etcd has not started:\n${this.#logs()}`);
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    }
  }

  /** One of etcd's calls by its JSON gateway, of the first member: `/v3/kv/compaction` and the like. */
  post(path: string, body: object): Promise<unknown> {
    return post(this.#members[0].clientUrl + path, body, STARTS_WITHIN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((_, index) => this.kill(index)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #spawn(member: Member): void {
    const { name, clientUrl, peerUrl } = member;
    const cluster = this.#members.map((other) => `${other.name}=${other.peerUrl}`).join(",");
    const flags = [`--name=${name}`, `--data-dir=${join(this.directory, name)}`];
    flags.push(`--listen-client-urls=${clientUrl}`, `--advertise-client-urls=${clientUrl}`);
    flags.push(`--listen-peer-urls=${peerUrl}`, `--initial-advertise-peer-urls=${peerUrl}`);
    flags.push(`--initial-cluster=${cluster}`, "--initial-cluster-token=riposte-test", "--logger=zap", ...TUNING);
    if (this.#options.tls === true) flags.push("--auto-tls");
    flags.push(...(this.#options.flags ?? []));
    const log = openSync(join(this.directory, `${name}.log`), "a");
    // Ends with this process even where that is killed: setpriv becomes etcd, with the same pid.
    const words = findPeer("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];
    const [program, ...rest] = [...words, "etcd", ...flags];
    const child = spawn(program, rest, { stdio: ["ignore", log, log] });
    closeSync(log);
    running.add(child);
    member.process = child;
    child.once("exit", () => {
      running.delete(child);
      if (member.process === child) member.process = undefined;
    });
  }

  async #status({ clientUrl }: Member): Promise<MemberStatus | undefined> {
    try {
      const answer = await post(`${clientUrl}/v3/maintenance/status`, {}, ANSWERS_WITHIN_MS);
      const status = answer as { header: { member_id: string }; leader?: string; raftAppliedIndex?: string };
      const { header, leader = "0", raftAppliedIndex = "0" } = status;
      return { id: header.member_id, leader, applied: Number(raftAppliedIndex) };
    } catch {
      return undefined;
    }
  }

  #logs(): string {
    return this.#members
      .map(({ name }) => {
        const log = readFileSync(join(this.directory, `${name}.log`), "utf8");
        return `${name}: ${log.trimEnd().split("\n").slice(-5).join("\n")}`;
      })
      .join("\n");
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Whoever answers is believed: it is a test's own process. */
async function post(url: string, body: object, timeoutMs: number): Promise<unknown> {
  const options = { method: "POST", timeout: timeoutMs, rejectUnauthorized: false, agent: false } as const;
  const request = (url.startsWith("https:") ? https : http).request(url, options);
  request.on("timeout", () => request.destroy(new Error(`${url} has not answered`)));
  request.end(JSON.stringify(body));
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(`${url}: ${answer}`);
  return JSON.parse(answer);
}
