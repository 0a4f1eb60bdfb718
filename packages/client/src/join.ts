/** Asks a server's token service for a connect token (docs/tokens.md), and says what to do when it gives none. */

import { NetworkError } from "@riposte/protocol";
import type { NetworkErrorCode } from "@riposte/protocol";

export interface JoinOptions {
  /** Any http(s) URL of the server; only its origin counts. */
  readonly url: URL;
  readonly room: string;
  readonly identity: string | undefined;
  readonly userData: Uint8Array | undefined;
  readonly schemaHash: Uint8Array;
  readonly signal: AbortSignal | undefined;
  /** How long the server may take to answer. Default 10,000. */
  readonly timeoutMs?: number;
}

/** The right to connect once, for a short time. */
export interface JoinGrant {
  readonly token: Uint8Array;
  readonly clientId: bigint;
  readonly identity: string;
  readonly websocket: string;
}

const TOKEN_BYTES = 2048;

/** What a refusal's `code` means to a session. */
const ERROR_CODES: ReadonlyMap<string, NetworkErrorCode> = new Map([
  ["schemaMismatch", "schemaMismatch"],
  ["serverFull", "serverFull"],
]);

export async function requestToken(options: JoinOptions): Promise<JoinGrant> {
  const url = new URL("/riposte/join", options.url);
  const { room, identity, userData, schemaHash, signal } = options;
  const body = JSON.stringify({
    room,
    identity,
    userData: userData === undefined ? undefined : toBase64(userData),
    schema: toHex(schemaHash),
  });
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 10_000);
  let status: number;
  let reply: unknown;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    status = response.status;
    reply = await response.json().catch(() => undefined);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (timeout.aborted) {
      throw new NetworkError("timedOut", `${url.origin} takes connections but does not answer`, { cause: error });
    }
    throw new NetworkError(
      "carrierFailed",
      `no game server answers at ${url.origin}: start it, or check address and port (and, from a browser, that the server allows this page's origin)`,
      { cause: error },
    );
  }
  const fields: Readonly<Record<string, unknown>> = isRecord(reply) ? reply : {};
  if (status !== 200) throw refusal(url, status, fields);
  const grant = grantOf(fields, url);
  if (grant === undefined) {
    throw new NetworkError(
      "denied",
      `${url.href} answered, but not as a Riposte server: is this the game server's URL?`,
    );
  }
  return grant;
}

function refusal(url: URL, status: number, fields: Readonly<Record<string, unknown>>): NetworkError {
  const { code, error } = fields;
  if (typeof code !== "string" || typeof error !== "string") {
    return new NetworkError(
      "denied",
      `${url.href} answered ${status}, but not as a Riposte server: is this the game server's URL, or does a proxy not forward /riposte?`,
    );
  }
  return new NetworkError(ERROR_CODES.get(code) ?? "denied", error);
}

function grantOf(fields: Readonly<Record<string, unknown>>, url: URL): JoinGrant | undefined {
  const { token, clientId, identity, websocket } = fields;
  if (typeof token !== "string" || typeof clientId !== "string" || typeof identity !== "string") return undefined;
  if (!/^\d{1,20}$/.test(clientId) || BigInt(clientId) >= 2n ** 64n) return undefined;
  const bytes = fromBase64(token);
  if (bytes?.length !== TOKEN_BYTES) return undefined;
  return { token: bytes, clientId: BigInt(clientId), identity, websocket: websocketUrl(url, websocket).href };
}

/** Where to open the WebSocket: what the server said, or `/riposte` beside `url`. A page loaded by https can open only wss. */
export function websocketUrl(url: URL, said?: unknown): URL {
  let target = new URL("/riposte", url);
  // Anything but an address of the web ("javascript:", "file:") cannot be opened.
  if (typeof said === "string" && URL.canParse(said, url)) {
    const named = new URL(said, url);
    if (/^(?:ws|http)s?:$/.test(named.protocol)) target = named;
  }
  const secure = url.protocol === "https:" || url.protocol === "wss:" || target.protocol === "wss:";
  target.protocol = secure ? "wss:" : "ws:";
  target.hash = "";
  return target;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
