/** `riposte balancer`: a balancer from command line options, until SIGINT or SIGTERM. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { BalancerServer, EmbeddedStore, GeoIp, signOperatorToken } from "@riposte/fleet";
import type { NodeKey, StateStore, TokenTrust } from "@riposte/fleet";
import { OPERATOR_AUDIENCE, OPERATOR_ISSUER, readSecret } from "../secrets.ts";
import { openScaling, pairOf } from "./scaling-options.ts";

export interface BalancerCommandOptions {
  readonly port: string;
  readonly host?: string;
  readonly id?: string;
  readonly url?: string;
  readonly secret?: string;
  readonly nodeKey?: string | readonly string[];
  readonly operatorSecret?: string;
  readonly store: string;
  readonly peer?: readonly string[];
  readonly config?: string;
  readonly scale?: readonly string[];
  readonly scalePorts: string;
  readonly agonesFleet?: readonly string[];
  readonly agonesWarm: string;
  readonly agonesWebhookSecret?: string;
  /** Of a game server. */
  readonly command: readonly string[];
  readonly geoip: boolean;
  readonly behindProxy: boolean;
  readonly console: boolean;
  readonly dev: boolean;
}

export interface RunningBalancer extends AsyncDisposable {
  readonly url: string;
  /** Resolves on SIGINT or SIGTERM. */
  readonly closed: Promise<void>;
}

const DEV_TOKEN_SECONDS = 12 * 3600;

/** Rejects with a `RangeError` that says what to do for options that cannot be. */
export async function runBalancer(options: BalancerCommandOptions): Promise<RunningBalancer> {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const fleetSecret = secretOf(options.secret, "--secret", options.dev);
  const nodeKeys = nodeKeysOf(options);
  const trust = trustOf(options);
  const port = Number(options.port);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new RangeError(`--port ${options.port} is no port`);
  const config = await readConfig(options);
  const store = await openStore(options.store);
  const started: { url: string } = { url: options.url ?? "" };
  const scaling = await openScaling(options, { store, nodeKeys, balancerUrl: () => started.url });
  const locator = options.geoip ? await GeoIp.open() : undefined;
  const server = await BalancerServer.listen({
    port,
    fleetSecret,
    nodeKeys,
    store,
    behindProxy: options.behindProxy,
    processMetrics: true,
    console: options.console,
    ...(trust === undefined ? {} : { trust }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.id === undefined ? {} : { id: options.id }),
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.peer === undefined ? {} : { peers: options.peer }),
    ...(config === undefined ? {} : { config }),
    ...scaling,
    ...(locator === undefined ? {} : { locator }),
  });
  started.url = server.url;
  console.error(`balancer ${server.balancer.id} at ${server.url}, store: ${options.store}`);
  if (options.console) console.error(`console at ${server.url}/console/`);
  if (options.dev) console.error(`token ${await devToken(trust!)}`);
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, close);
  return {
    url: server.url,
    closed,
    async [Symbol.asyncDispose]() {
      for (const signal of signals) process.off(signal, close);
      await server[Symbol.asyncDispose]();
      await locator?.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

interface PartialConfig {
  readonly scaling?: Readonly<Record<string, object>>;
}

/** With the regions of `--scale`. */
async function readConfig({ config: file, scale = [] }: BalancerCommandOptions): Promise<unknown> {
  const read = file === undefined ? undefined : (JSON.parse(await readFile(file, "utf8")) as PartialConfig);
  if (scale.length === 0) return read;
  const scaling: Record<string, object> = { ...read?.scaling };
  for (const { name, value } of scale.map((text) => pairOf(text, "--scale")))
    scaling[name] = { ...scaling[name], maxNodes: Number(value) };
  return { ...read, scaling };
}

async function openStore(where: string): Promise<StateStore> {
  if (where === "memory") return EmbeddedStore.open();
  const [kind, rest] = [where.slice(0, where.indexOf(":")), where.slice(where.indexOf(":") + 1)];
  if (kind === "embedded" && rest !== "") return EmbeddedStore.open({ directory: rest });
  if (kind === "etcd" && rest !== "") {
    const { EtcdStore } = await import("@riposte/fleet/etcd");
    return EtcdStore.open({ endpoints: rest.split(",") });
  }
  throw new RangeError(`--store ${where}: give "memory", "embedded:<folder>" or "etcd:<url>,<url>"`);
}

function secretOf(hex: string | undefined, option: string, isDev: boolean): Uint8Array {
  if (hex === undefined && isDev) {
    const made = randomBytes(32);
    console.error(`${option} ${made.toString("hex")} (made up)`);
    return made;
  }
  if (hex === undefined) throw new RangeError(`${option} is missing: 32 bytes or more in hex, or --dev to make one up`);
  return readSecret(hex, option);
}

function nodeKeysOf({ nodeKey, dev }: BalancerCommandOptions): NodeKey[] {
  const given = typeof nodeKey === "string" ? nodeKey.split(",") : (nodeKey ?? []);
  if (given.length === 0) return [{ kid: "dev", secret: secretOf(undefined, "--node-key dev:", dev) }];
  return given.map((key) => {
    const [kid, hex] = key.split(":");
    return { kid, secret: secretOf(hex, `--node-key ${kid}:`, false) };
  });
}

function trustOf({ operatorSecret, dev }: BalancerCommandOptions): TokenTrust | undefined {
  if (operatorSecret === undefined && !dev) return undefined;
  return {
    issuer: OPERATOR_ISSUER,
    audience: OPERATOR_AUDIENCE,
    secret: secretOf(operatorSecret, "--operator-secret", dev),
  };
}

/** Of an operator who may do everything. */
function devToken({ issuer, audience, secret }: TokenTrust): Promise<string> {
  const scopes = ["fleet:read", "fleet:write", "config:write"] as const;
  const lifetimeSeconds = DEV_TOKEN_SECONDS;
  return signOperatorToken({
    issuer,
    audience,
    secret: secret!,
    subject: "dev",
    scopes,
    lifetimeSeconds,
    wallNow: Date.now(),
  });
}
