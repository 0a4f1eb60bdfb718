/** What `listen` may be told, and what it does when it is not. */

import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { MatchOptions as SimulationMatchOptions } from "@riposte/simulation/game";
import type { NetworkThreadOptions } from "@riposte/transport";
import { resolveDiagnosticsOptions } from "./diagnostics/diagnostics-options.ts";
import type { DiagnosticsOptions } from "./diagnostics/diagnostics-options.ts";
import type { AddressRateLimiterOptions } from "./http/address-rate-limiter.ts";
import type { MessageLimitOptions } from "./message-limit.ts";
import { resolveNetworkOptions } from "./network/network-options.ts";
import type { NetworkOptions, ResolvedNetworkOptions } from "./network/network-options.ts";
import type { PlainPeerHandlers } from "./server.ts";

/** What every room's match is given: all of its options but those that the server sees to. */
export type MatchOptions = Omit<SimulationMatchOptions, "seed" | "entropy" | "now">;

export type ResolvedMatchOptions = Required<Omit<MatchOptions, "receipts">> & Pick<MatchOptions, "receipts">;

export interface ListenOptions extends NetworkOptions {
  /** For UDP and TCP (HTTP, WebSocket) alike. Default 7777; taken: the next free one of the 19 numbers behind it. 0: any. */
  readonly port?: number;
  /** Address to listen on. Default: all, IPv4 and IPv6. */
  readonly host?: string;
  /** `host:port` pairs by which clients reach this server from outside, for tokens. Default: the address a join came in on. */
  readonly publicAddresses?: readonly string[];
  /** 32 bytes shared with whoever issues connect tokens. Required in production; default: random. */
  readonly privateKey?: Uint8Array;
  /** Keeps apart games (and versions) that share a private key. Default "RIPOSTE1" as a number. */
  readonly protocolId?: bigint;
  /** Clients at once, in all rooms together. Default 256, at most 4096. */
  readonly maxClients?: number;
  /** Rooms to begin with, beside the default room `""`. */
  readonly rooms?: readonly string[];
  /** A client that names a room which does not exist gets it made; an empty one of these is closed again. Default false. */
  readonly createRoomsOnDemand?: boolean;
  /** Default 64. */
  readonly maxRooms?: number;
  /** How long a room made on demand stays when nobody is in it (at least `match.reconnectGraceMs`). Default 30,000. */
  readonly emptyRoomMs?: number;
  /** Seats, reconnect time, snapshot size, rewind and missing inputs of each room. */
  readonly match?: MatchOptions;
  /** Folder of the game's pages, served by HTTP if it exists. Default "dist"; false: none. */
  readonly publicDir?: string | false;
  /** Whether `POST /riposte/join` gives a token to everybody who asks. Default: true in development, false in production. */
  readonly localTokens?: boolean;
  /** How long a token admits. Default 45 s. */
  readonly tokenExpireSeconds?: number;
  /** Silence after which a client counts as gone, in whole seconds. Default 10. */
  readonly timeoutSeconds?: number;
  /** Pages of which origins may ask for a token. Default: all in development, none but the server's own in production. */
  readonly allowedOrigins?: readonly string[] | "*";
  /**
   * Whether HTTP and WebSockets come through a reverse proxy: then the last address of X-Forwarded-For, which the proxy
   * itself has put there, is the client's. Default false.
   */
  readonly behindProxy?: boolean;
  /** Joins by address. Default: 256 at once, then 10 a second. */
  readonly joinRate?: AddressRateLimiterOptions;
  /** What one connection may send. */
  readonly messageLimit?: MessageLimitOptions;
  /**
   * Runs everything below the connections in a thread of its own, so that a long tick delays no acknowledgement; see
   * `docs/network-thread.md`. Default false.
   */
  readonly networkThread?: boolean | NetworkThreadOptions;
  /** Artificial network conditions, both directions. Throws in production. */
  readonly simulate?: NetworkConditions;
  /** Records events and packets from the start; see `server.diagnostics`. Default: nothing is recorded. */
  readonly diagnostics?: DiagnosticsOptions;
  /** Default: "production" when NODE_ENV is, else "development". */
  readonly environment?: "development" | "production";
  /** Seed of the rooms' random numbers. Default: random. */
  readonly seed?: number;
  /** Takes programs that speak plain netcode 1.02, without hello. Default: they are disconnected. */
  readonly plainPeers?: PlainPeerHandlers;
  /** Gets the few lines that a person should see: a port in use, errors that nobody listens to. Default `console.error`. */
  readonly log?: (line: string) => void;
  /** Aborting closes the server (or gives up starting it; then `listen` rejects with the signal's reason). */
  readonly signal?: AbortSignal;
  /** Whether SIGINT (Ctrl-C) and SIGTERM close the server, unless the program handles them itself. Default true. */
  readonly closeOnExitSignals?: boolean;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly port: number;
  readonly host: string | undefined;
  readonly publicAddresses: readonly string[];
  readonly privateKey: Uint8Array;
  readonly protocolId: bigint;
  readonly maxClients: number;
  readonly rooms: readonly string[];
  readonly createRoomsOnDemand: boolean;
  readonly maxRooms: number;
  readonly emptyRoomMs: number;
  readonly match: ResolvedMatchOptions;
  readonly publicDir: string | undefined;
  readonly localTokens: boolean;
  readonly tokenExpireSeconds: number;
  readonly timeoutSeconds: number;
  readonly allowedOrigins: readonly string[] | "*";
  readonly behindProxy: boolean;
  readonly joinRate: AddressRateLimiterOptions;
  readonly messageLimit: Required<MessageLimitOptions>;
  readonly network: ResolvedNetworkOptions;
  readonly networkThread: NetworkThreadOptions | undefined;
  readonly simulate: NetworkConditions | undefined;
  readonly diagnostics: DiagnosticsOptions | undefined;
  readonly production: boolean;
  readonly seed: number | undefined;
  readonly plainPeers: PlainPeerHandlers | undefined;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
  readonly closeOnExitSignals: boolean;
}

/** "RIPOSTE1" in ASCII. */
const DEFAULT_PROTOCOL_ID = 0x5249504f53544531n;
const MAX_CLIENTS = 4096;

/** Throws `RangeError` or `TypeError` for what cannot work, naming the option. */
export function resolveOptions(options: ListenOptions, tickRate: number): ResolvedOptions {
  const environment = options.environment ?? (process.env.NODE_ENV === "production" ? "production" : "development");
  const production = environment === "production";
  if (production || process.env.NODE_ENV === "production") refuseSimulation(options.simulate);
  const { privateKey, maxClients = 256, maxRooms = 64, messageLimit = {}, match = {} } = options;
  if (privateKey === undefined && production) {
    throw new TypeError("privateKey is required in production: 32 random bytes, shared with whoever issues tokens");
  }
  if (privateKey !== undefined && privateKey.length !== 32) {
    throw new RangeError(`privateKey must have 32 bytes, got ${privateKey.length}`);
  }
  if (!Number.isInteger(maxClients) || maxClients < 1 || maxClients > MAX_CLIENTS) {
    throw new RangeError(`maxClients must be an integer from 1 to ${MAX_CLIENTS}, got ${maxClients}`);
  }
  if (!Number.isInteger(maxRooms) || maxRooms < 1) {
    throw new RangeError(`maxRooms must be a positive integer, got ${maxRooms}`);
  }
  const { publicDir = "dist", localTokens = !production, timeoutSeconds = 10 } = options;
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1) {
    throw new RangeError(`timeoutSeconds must be whole seconds from 1, got ${timeoutSeconds}`);
  }
  const limit = {
    messagesPerSec: messageLimit.messagesPerSec ?? 4 * tickRate,
    bytesPerSec: messageLimit.bytesPerSec ?? 65_536,
    burstSeconds: messageLimit.burstSeconds ?? 2,
  };
  for (const [name, value] of Object.entries(limit)) {
    if (!(value > 0)) throw new RangeError(`messageLimit.${name} must be positive, got ${value}`);
  }
  return {
    port: options.port ?? 7777,
    host: options.host,
    publicAddresses: options.publicAddresses ?? [],
    privateKey: privateKey?.slice() ?? randomBytes(32),
    protocolId: options.protocolId ?? DEFAULT_PROTOCOL_ID,
    maxClients,
    rooms: options.rooms ?? [],
    createRoomsOnDemand: options.createRoomsOnDemand ?? false,
    maxRooms,
    emptyRoomMs: Math.max(options.emptyRoomMs ?? 30_000, match.reconnectGraceMs ?? 15_000),
    match: {
      maxSeats: match.maxSeats ?? 64,
      reconnectGraceMs: match.reconnectGraceMs ?? 15_000,
      snapshotBudgetBytes: match.snapshotBudgetBytes ?? 1000,
      maxRewindMs: match.maxRewindMs ?? 500,
      rewindHistory: match.rewindHistory ?? {},
      favorTheShooter: match.favorTheShooter ?? {},
      debug: match.debug ?? false,
      inputs: match.inputs ?? {},
      ...(match.receipts && { receipts: match.receipts }),
    },
    publicDir: publicDir === false ? undefined : publicDir,
    localTokens,
    tokenExpireSeconds: options.tokenExpireSeconds ?? 45,
    timeoutSeconds,
    allowedOrigins: options.allowedOrigins ?? (production ? [] : "*"),
    behindProxy: options.behindProxy ?? false,
    joinRate: options.joinRate ?? { burst: 256, perSec: 10 },
    messageLimit: limit,
    network: resolveNetworkOptions(options, tickRate),
    networkThread: threadOptions(options.networkThread),
    simulate: options.simulate,
    diagnostics: options.diagnostics && resolveDiagnosticsOptions(options.diagnostics),
    production,
    seed: options.seed,
    plainPeers: options.plainPeers,
    log: options.log ?? ((line) => console.error(line)),
    signal: options.signal,
    closeOnExitSignals: options.closeOnExitSignals ?? true,
  };
}

/** A production server must never be made worse on purpose. */
export function refuseSimulation(conditions: NetworkConditions | undefined): void {
  if (conditions !== undefined) {
    throw new TypeError("network conditions cannot be simulated in production (NODE_ENV or `environment`)");
  }
}

/** `host:port` of every address this machine has, and of the loopback ones. */
export function localAddresses(port: number): string[] {
  const addresses = new Set(["127.0.0.1", "::1"]);
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) addresses.add(address);
  }
  return Array.from(addresses, (address) => formatAddress(address, port));
}

/** `1.2.3.4:7777` or `[::1]:7777`; an IPv4 address mapped into IPv6 is written as IPv4, a scope is left out. */
export function formatAddress(address: string, port: number): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}

function threadOptions(given: boolean | NetworkThreadOptions | undefined): NetworkThreadOptions | undefined {
  return typeof given === "object" ? given : given === true ? {} : undefined;
}
