/** `riposte balancer`: a balancer from command line options, until SIGINT or SIGTERM. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { BalancerServer, EmbeddedStore, GeoIp, signOperatorToken } from "@riposte/fleet";
import type { BalancerServerOptions, NodeKey, StateStore, TokenTrust } from "@riposte/fleet";
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
  readonly store?: string;
  readonly peer?: readonly string[];
  readonly config?: string;
  readonly scale?: readonly string[];
  readonly scalePorts: string;
  readonly agonesFleet?: readonly string[];
  readonly agonesWarm: string;
  readonly agonesWebhookSecret?: string;
  /** Of a game server. */
  readonly command: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly ca?: string;
  readonly jwks?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly playerTokens: boolean;
  readonly protocolId?: string;
  readonly beacon?: readonly string[];
  readonly allowOrigin?: string;
  readonly openMetrics: boolean;
  readonly geoip: boolean;
  readonly geoipCity?: readonly string[];
  readonly geoipCountry?: readonly string[];
  readonly geoipUpdateHours: string;
  readonly behindProxy: boolean;
  readonly console: boolean;
  readonly dev: boolean;
}

export interface RunningBalancer extends AsyncDisposable {
  readonly url: string;
  /** Resolves on SIGINT or SIGTERM. */
  readonly closed: Promise<void>;
}

/** In the folder in which it is started. */
const DEFAULT_STORE = "embedded:riposte-store";
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
  // Closed, the last first, also when what comes after fails: else the process would stay.
  await using parts = new AsyncDisposableStack();
  const where = options.store ?? (options.dev ? "memory" : DEFAULT_STORE);
  const store = parts.use(await openStore(where));
  const started: { url: string } = { url: options.url ?? "" };
  const scaling = await openScaling(options, { store, nodeKeys, balancerUrl: () => started.url });
  const locator = options.geoip ? parts.use(await openGeoIp(options)) : undefined;
  const listening = BalancerServer.listen({
    port,
    fleetSecret,
    nodeKeys,
    store,
    behindProxy: options.behindProxy,
    processMetrics: true,
    console: options.console,
    playerTokens: options.playerTokens,
    openMetrics: options.openMetrics,
    ...(await publicOptions(options)),
    ...(trust === undefined ? {} : { trust }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.id === undefined ? {} : { id: options.id }),
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.peer === undefined ? {} : { peers: options.peer }),
    ...(config === undefined ? {} : { config }),
    ...scaling,
    ...(locator === undefined ? {} : { locator }),
  });
  const server = parts.use(await listening);
  started.url = server.url;
  const away = store.status === "away" ? ", which is away: all goes on without, until it is there" : "";
  console.error(`balancer ${server.balancer.id} at ${server.url}, store: ${where}${away}`);
  if (options.console) console.error(`console at ${server.url}/console/`);
  if (options.dev && trust?.secret !== undefined) console.error(`token ${await devToken(trust)}`);
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, close);
  const running = parts.move();
  return {
    url: server.url,
    closed,
    async [Symbol.asyncDispose]() {
      for (const signal of signals) process.off(signal, close);
      await running.disposeAsync();
    },
  };
}

/** How players reach it, and what they get. */
async function publicOptions(options: BalancerCommandOptions): Promise<Partial<BalancerServerOptions>> {
  const { tlsCert, tlsKey, ca, protocolId, beacon, allowOrigin } = options;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new RangeError("give both --tls-cert and --tls-key");
  if (protocolId !== undefined && !/^(?:\d{1,20}|0x[\da-f]{1,16})$/i.test(protocolId))
    throw new RangeError(`--protocol-id ${protocolId}: give a number of 64 bits, as 1234 or 0x4d2`);
  const beacons = beacon
    ?.map((text) => pairOf(text, "--beacon"))
    .map(({ name, value }) => ({ region: name, url: value }));
  const bad = beacons?.find(({ url }) => !URL.canParse(url));
  if (bad !== undefined) throw new RangeError(`--beacon ${bad.region}:${bad.url}: "${bad.url}" is no address`);
  return {
    ...(tlsCert === undefined || tlsKey === undefined
      ? {}
      : { tls: { cert: await readFile(tlsCert, "utf8"), key: await readFile(tlsKey, "utf8") } }),
    ...(ca === undefined ? {} : { ca: await readFile(ca, "utf8") }),
    ...(protocolId === undefined ? {} : { protocolId: BigInt(protocolId) }),
    ...(beacons === undefined ? {} : { beacons }),
    ...(allowOrigin === undefined ? {} : { allowOrigin }),
  };
}

function openGeoIp({ geoipCity, geoipCountry, geoipUpdateHours }: BalancerCommandOptions): Promise<GeoIp> {
  const hours = Number(geoipUpdateHours);
  if (!(hours >= 0 && hours <= 24 * 24))
    throw new RangeError(`--geoip-update-hours ${geoipUpdateHours}: give 0 to 576`);
  return GeoIp.open({
    updateEveryMs: hours * 3_600_000,
    onUpdate: ({ changed, error }) => {
      if (error !== undefined) console.error(`geoip: all stays as it is: ${error.message}`);
      else if (changed.length > 0) console.error(`geoip: new: ${changed.join(", ")}`);
    },
    ...(geoipCity === undefined ? {} : { city: geoipCity.map((from) => ({ from })) }),
    ...(geoipCountry === undefined ? {} : { country: geoipCountry.map((from) => ({ from })) }),
  });
}

interface PartialConfig {
  readonly scaling?: Readonly<Record<string, object>>;
}

/** With the regions of `--scale`. */
async function readConfig({ config: file, scale = [] }: BalancerCommandOptions): Promise<unknown> {
  const read = file === undefined ? undefined : parseConfig(await readFile(file, "utf8"), file);
  if (scale.length === 0) return read;
  const scaling: Record<string, object> = { ...read?.scaling };
  for (const { name, value } of scale.map((text) => pairOf(text, "--scale")))
    scaling[name] = { ...scaling[name], maxNodes: Number(value) };
  return { ...read, scaling };
}

function parseConfig(text: string, file: string): PartialConfig {
  try {
    return JSON.parse(text) as PartialConfig;
  } catch (error) {
    throw new RangeError(`--config ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
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
    const [kid, hex, nodes] = key.split(":");
    const secret = secretOf(hex, `--node-key ${kid}:`, false);
    return nodes === undefined ? { kid, secret } : { kid, secret, nodes: nodes.split("+") };
  });
}

function trustOf(options: BalancerCommandOptions): TokenTrust | undefined {
  const { operatorSecret, jwks, issuer, audience = OPERATOR_AUDIENCE, dev } = options;
  if (jwks !== undefined) {
    if (operatorSecret !== undefined) throw new RangeError("give either --jwks or --operator-secret");
    if (issuer === undefined) throw new RangeError("--jwks needs --issuer: what tokens name as who made them");
    if (!URL.canParse(jwks)) throw new RangeError(`--jwks ${jwks} is no address`);
    return { issuer, audience, jwksUrl: jwks };
  }
  if (operatorSecret === undefined && !dev) return undefined;
  return {
    issuer: issuer ?? OPERATOR_ISSUER,
    audience,
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
