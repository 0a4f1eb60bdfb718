/** A whole balancer: the store, GeoIP, configuration, the balancer itself, its HTTP API and metrics, in one process. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { ConfigBook } from "../config/config-book.ts";
import type { ConfigAuthor } from "../config/config-book.ts";
import type { LoadBalancerConfig } from "../config/load-balancer-config.ts";
import type { Attribution } from "../geoip/attribution.ts";
import type { ClientLocator } from "../geoip/client-locator.ts";
import { GeoIp } from "../geoip/geo-ip.ts";
import { ApiError } from "../http/api-error.ts";
import { AuditLog } from "../http/audit-log.ts";
import type { AuditSink } from "../http/audit-log.ts";
import type { Actor, AllocateReply, AllocateRequest, BalancerApi, ConfigVersion } from "../http/balancer-api.ts";
import type { Beacon } from "../http/api-context.ts";
import { NodeCredentials, TokenCredentials } from "../http/credentials.ts";
import type { NodeKey, TokenTrust } from "../http/credentials.ts";
import { readConsole } from "../http/console-routes.ts";
import type { AgonesWebhook } from "../http/agones-routes.ts";
import { HttpApi } from "../http/http-api.ts";
import { FleetMetrics } from "../metrics/fleet-metrics.ts";
import { viewRegions } from "../metrics/fleet-view.ts";
import type { FleetView, LoadBalancerStats } from "../metrics/load-balancer-stats.ts";
import type { OriginStats } from "../metrics/player-origins.ts";
import type { NodeRegistration } from "../registry/server-node.ts";
import { FleetScaler } from "../scaling/fleet-scaler.ts";
import type { ScalingDriver } from "../scaling/scaling-driver.ts";
import { countStoreErrors } from "../store/count-store-errors.ts";
import { EmbeddedStore } from "../store/embedded-store.ts";
import type { StateStore } from "../store/state-store.ts";
import { ConfigConflictError, ConfigKeeper } from "./config-keeper.ts";
import { GlobalLoadBalancer } from "./global-load-balancer.ts";
import type { BalancerStats } from "./global-load-balancer.ts";
import { ReportError } from "./node-reports.ts";
import { RegisterError } from "./node-roster.ts";
import { ConfigError } from "../config/config-rules.ts";

export interface BalancerServerOptions {
  /** Unique among the balancers. Default: the host's name and a random number. */
  readonly id?: string;
  /** Default 7800; 0: any. */
  readonly port?: number;
  /** Default: all addresses. */
  readonly host?: string;
  /** Where nodes and the other balancers reach this one. Default `http://127.0.0.1:<port>`, good on one machine. */
  readonly url?: string;
  /** 32 bytes or more that all balancers of the fleet share, and nobody else. */
  readonly fleetSecret: Uint8Array;
  /** As the game servers' option. Default "RIPOSTE1" as a number. */
  readonly protocolId?: bigint;
  /** With which nodes sign. */
  readonly nodeKeys: readonly NodeKey[];
  /** Whose tokens let operators, matchmakers and players in. Default: nobody's. */
  readonly trust?: TokenTrust;
  /** Whether players must bring a token. Default false: anybody gets a seat, as is right on a desk. */
  readonly playerTokens?: boolean;
  /** Default: in memory, which is lost with the process. */
  readonly store?: StateStore;
  /** Default: nothing is known of where a client is. A `GeoIp` takes the configuration's overrides, and has its part of the API. */
  readonly locator?: ClientLocator;
  /** Addresses of the other balancers. Default: those that the store knows. */
  readonly peers?: readonly string[];
  /** Over the defaults, until somebody changes it. */
  readonly config?: unknown;
  /** Starts and stops nodes of the regions that `config.scaling` names; closed with the balancer. Default: nothing is scaled. */
  readonly scalingDriver?: ScalingDriver;
  /** Default: Agones asks nothing here. */
  readonly agones?: AgonesWebhook;
  readonly beacons?: readonly Beacon[];
  /** `Access-Control-Allow-Origin` of what players call. Default "*". */
  readonly allowOrigin?: string;
  /** Whether metrics are for anybody. Default false: for who has `fleet:read`. */
  readonly openMetrics?: boolean;
  /** Whether it serves the operators' web console at /console/, where that is built. Default true. */
  readonly console?: boolean;
  readonly behindProxy?: boolean;
  /** Whether metrics include the process': processor time, memory, event loop. Default false; at most one in a process. */
  readonly processMetrics?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** PEM, of who signed the other balancers' certificates. Default: those that Node trusts. */
  readonly ca?: string;
  /** Default: one JSON line each on stdout. */
  readonly audit?: AuditSink;
  readonly log?: (line: string) => void;
}

/** `GET /v1/stats`. */
export interface StatsReply extends LoadBalancerStats {
  readonly balancer: BalancerStats;
  /** Of the players whom this balancer placed. */
  readonly origins: OriginStats;
  /** Whom to credit where locations of this answer are shown. */
  readonly attributions: readonly Attribution[];
}

const DEFAULT_PORT = 7800;
const SCALE_EVERY_MS = 1000;
/** "RIPOSTE1" in ASCII, as the server's default. */
const DEFAULT_PROTOCOL_ID = 0x5249504f53544531n;
const NOWHERE: ClientLocator = { estimateClientLocation: () => undefined };

export class BalancerServer implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly balancer: GlobalLoadBalancer;
  readonly metrics: FleetMetrics;
  readonly #http: HttpApi;
  readonly #keeper: ConfigKeeper;
  readonly #scaler: FleetScaler | undefined;
  readonly #scaling: NodeJS.Timeout | undefined;
  readonly #ownStore: StateStore | undefined;

  private constructor(parts: {
    readonly url: string;
    readonly port: number;
    readonly balancer: GlobalLoadBalancer;
    readonly scaler: FleetScaler | undefined;
    readonly metrics: FleetMetrics;
    readonly http: HttpApi;
    readonly keeper: ConfigKeeper;
    readonly ownStore: StateStore | undefined;
  }) {
    this.url = parts.url;
    this.port = parts.port;
    this.balancer = parts.balancer;
    this.metrics = parts.metrics;
    this.#http = parts.http;
    this.#keeper = parts.keeper;
    this.#ownStore = parts.ownStore;
    const { scaler } = parts;
    this.#scaler = scaler;
    this.#scaling = scaler && setInterval(() => scaler.tick(), SCALE_EVERY_MS);
  }

  static async listen(options: BalancerServerOptions): Promise<BalancerServer> {
    const { fleetSecret, nodeKeys, trust, port = DEFAULT_PORT, host, locator = NOWHERE } = options;
    const log = options.log ?? ((line: string): void => console.error(line));
    const id = options.id ?? `${hostname()}-${randomBytes(3).toString("hex")}`;
    const ownStore = options.store === undefined ? await EmbeddedStore.open() : undefined;
    const store = countStoreErrors(options.store ?? ownStore!, (code) => metrics.noteStoreError(code));
    store.onStatus((status) =>
      log(status === "away" ? "the store is away: all goes on with what is known here" : "the store is there again"),
    );
    const book = new ConfigBook({ initial: options.config });
    // The API is made before its balancer, which must know the port.
    const started: Started = {};
    const config = (): LoadBalancerConfig => book.config;
    const onChange = (): void => {
      started.balancer?.configure();
      if (started.balancer !== undefined) overrideLocations(locator, config(), started.balancer);
    };
    const keeper = new ConfigKeeper({ store, book, log, onChange });
    const metrics: FleetMetrics = new FleetMetrics({
      includesProcess: options.processMetrics ?? false,
      view: () => viewOf(started, store, book.current.version),
    });
    const wallNow = (): number => started.balancer?.unixMs ?? Date.now();
    const api = createApi(started, { book, keeper, metrics, locator });
    const http = await HttpApi.create({
      api,
      limits: () => config().limits,
      nodeCredentials: new NodeCredentials({ keys: () => nodeKeys, wallNow }),
      ...(trust === undefined ? {} : { tokenCredentials: new TokenCredentials(trust, wallNow) }),
      audit: new AuditLog({ sink: options.audit ?? STDOUT, wallNow }),
      beacons: () => options.beacons ?? [],
      ...(options.console === false ? {} : { console: await readConsole() }),
      ...(options.agones === undefined ? {} : { agones: options.agones }),
      ...(options.playerTokens === undefined ? {} : { playerTokens: options.playerTokens }),
      ...(options.allowOrigin === undefined ? {} : { allowOrigin: options.allowOrigin }),
      ...(options.openMetrics === undefined ? {} : { openMetrics: options.openMetrics }),
      ...(options.behindProxy === undefined ? {} : { behindProxy: options.behindProxy }),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
    const bound = await http.listen({ port, ...(host === undefined ? {} : { host }) });
    const url = options.url ?? `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${bound}`;
    const balancer = (started.balancer = new GlobalLoadBalancer({
      id,
      url,
      fleetSecret,
      protocolId: options.protocolId ?? DEFAULT_PROTOCOL_ID,
      store,
      locator,
      config,
      configVersion: () => book.current.version,
      metrics,
      log,
      ...(options.peers === undefined ? {} : { peers: options.peers }),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    }));
    if (config().geoip.overrides.length > 0) onChange();
    if (options.scalingDriver !== undefined)
      started.scaler = createScaler(options.scalingDriver, { balancer, store, config, metrics, log });
    const { scaler } = started;
    return new BalancerServer({ url, port: bound, balancer, scaler, metrics, http, keeper, ownStore });
  }

  /** Players who are being answered are; then it takes nobody new, and nodes get back what they lent. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#scaling);
    await this.#scaler?.[Symbol.asyncDispose]();
    await this.balancer[Symbol.asyncDispose]();
    this.#keeper.close();
    await this.#http[Symbol.asyncDispose]();
    await this.#ownStore?.[Symbol.asyncDispose]();
  }
}

/** What is there once it listens. */
interface Started {
  balancer?: GlobalLoadBalancer;
  scaler?: FleetScaler;
}

function createScaler(
  driver: ScalingDriver,
  {
    balancer,
    store,
    config,
    metrics,
    log,
  }: {
    readonly balancer: GlobalLoadBalancer;
    readonly store: StateStore;
    readonly config: () => LoadBalancerConfig;
    readonly metrics: FleetMetrics;
    readonly log: (line: string) => void;
  },
): FleetScaler {
  return new FleetScaler({
    table: balancer.table,
    driver,
    store,
    config: () => config().scaling,
    leads: () => balancer.leads,
    drain: (id) => void balancer.commandNode(id, "drain"),
    resume: (id) => void balancer.commandNode(id, "resume"),
    unregister: (id) => void balancer.commandNode(id, "unregister"),
    log,
    onDecision: (decision) => metrics.scaling.noteDecision(decision),
    onDriverError: (operation) => metrics.scaling.noteDriverError(operation),
    now: () => performance.now(),
    wallNow: Date.now,
  });
}

function viewOf({ balancer, scaler }: Started, store: StateStore, configVersion: number): FleetView {
  const lent = balancer?.lentSeats();
  const stats = balancer?.stats();
  return {
    regions: viewRegions(balancer?.nodes() ?? [], (region) => lent?.get(region) ?? 0),
    queueLength: stats?.waiting ?? 0,
    store: { kind: store.kind, status: store.status },
    balancersAlive: stats?.balancers.length ?? 1,
    isLeader: stats?.leads ?? false,
    configVersion,
    scaling: scaler?.explain().regions ?? [],
  };
}

function overrideLocations(locator: ClientLocator, { geoip }: LoadBalancerConfig, balancer: GlobalLoadBalancer): void {
  if (!(locator instanceof GeoIp)) return;
  const { regions } = balancer.table;
  locator.setOverrides(geoip.overrides, (name) => {
    const region = regions.numberOf(name);
    return region < 0 ? undefined : regions.placeOf(region);
  });
}

const STDOUT: AuditSink = { write: (line) => void process.stdout.write(line) };

function createApi(
  started: Started,
  {
    book,
    keeper,
    metrics,
    locator,
  }: {
    readonly book: ConfigBook;
    readonly keeper: ConfigKeeper;
    readonly metrics: FleetMetrics;
    readonly locator: ClientLocator;
  },
): BalancerApi {
  const current = (): GlobalLoadBalancer | undefined => started.balancer;
  const balancer = (): GlobalLoadBalancer => {
    if (started.balancer === undefined)
      throw new ApiError(503, "starting", "This balancer is starting: try again in a moment.");
    return started.balancer;
  };
  return {
    get isReady() {
      return current()?.isReady ?? false;
    },
    async allocate(request: AllocateRequest, ip: string): Promise<AllocateReply> {
      const began = performance.now();
      const reply = await balancer().allocate(request, ip);
      metrics.noteAllocation(performance.now() - began);
      if (reply.status === "refused") metrics.noteRefusal(reply.code);
      return reply;
    },
    leaveQueue: (key) => balancer().leaveQueue(key),
    expectClient: (clientId) => void current()?.expectClient(clientId),
    explain: async (request, ip) => {
      // An operator has time.
      await balancer().expectClient(request.clients[0].clientId);
      return balancer().explain(request, ip);
    },
    registerNode: async (registration: NodeRegistration) => {
      try {
        return balancer().registerNode(registration);
      } catch (error) {
        if (error instanceof RegisterError)
          throw new ApiError(error.code === "full" ? 503 : 409, error.code, error.message);
        throw error;
      }
    },
    exchange(nodeId, session, report) {
      try {
        return current()?.exchange(nodeId, session, report);
      } catch (error) {
        if (error instanceof ReportError) throw new ApiError(400, "badReport", `Correct the report: ${error.message}.`);
        throw error;
      }
    },
    commandNode: async (nodeId, command) => balancer().commandNode(nodeId, command),
    nodes: (filter) => balancer().nodes(filter),
    stats: (): StatsReply => ({
      ...metrics.stats(),
      balancer: balancer().stats(),
      origins: balancer().origins.stats(performance.now()),
      attributions: locator.attributions ?? [],
    }),
    scaling: () => started.scaler?.explain() ?? { leads: false, driver: "none", regions: [], decisions: [] },
    config: () => book.current,
    configVersions: async () => book.versions(),
    async changeConfig(patch, { dryRun, comment }, actor) {
      return refuseMistakes(async () => {
        const author = authorOf(actor, comment);
        if (!dryRun) return keeper.change(patch, author);
        return { ...balancer().dryRun(book.prepare(patch, author).version.config), config: book.current };
      });
    },
    async rollBackConfig(version, actor): Promise<ConfigVersion | undefined> {
      return refuseMistakes(async () => (await keeper.rollBack(version, authorOf(actor)))?.version);
    },
    geoIp: () => (locator instanceof GeoIp ? { ...locator.stats, attributions: locator.attributions } : undefined),
    async updateGeoIp(force) {
      if (!(locator instanceof GeoIp)) return undefined;
      const { changed, error } = await locator.update({ force });
      return error === undefined ? { changed } : { error };
    },
    peer: async (path, body, mac) => current()?.peer(path, body, mac),
    metrics: () => metrics.exposition(),
  };
}

function authorOf({ subject }: Actor, comment?: string): ConfigAuthor {
  const author = { changedBy: subject, changedAt: new Date().toISOString() };
  return comment === undefined ? author : { ...author, comment };
}

async function refuseMistakes<R>(action: () => Promise<R>): Promise<R> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ConfigError) throw new ApiError(400, "badConfig", error.message);
    if (error instanceof ConfigConflictError) throw new ApiError(409, "conflict", error.message);
    throw error;
  }
}
