/**
 * The local token service: gives whoever asks a connect token for this server. It stands in for the
 * game's backend, which does the same after checking who is asking (docs/tokens.md).
 *
 * Nothing a request says is trusted but the room's name (it must exist), the identity (it must carry
 * this server's MAC) and the game's part of the user data, which the game must treat as a wish.
 */

import { GAME_DATA_BYTES } from "@riposte/protocol/netcode";
import type { ClientIdentity } from "./client-identity.ts";
import { isRoomName } from "../room-name.ts";

/** What the server puts into a token for a client that may come in. */
export interface TokenGrant {
  readonly clientId: bigint;
  readonly room: string;
  readonly userData: Uint8Array;
  /** Address the client's request came in on: it goes into the token, since it is known to be reachable. */
  readonly localAddress: string | undefined;
}

export interface JoinServiceOptions {
  readonly identity: ClientIdentity;
  /** Schema hash of the game, 8 bytes. */
  readonly schemaHash: Uint8Array;
  readonly tickRate: number;
  /** False when the room does not exist. */
  readonly hasRoom: (name: string) => boolean;
  /** True when the room, or the server, has no free seat for this client. */
  readonly isFull: (name: string, clientId: bigint) => boolean;
  readonly issueToken: (grant: TokenGrant) => Uint8Array;
}

/** The service's answer to a client that may come in, as JSON. */
export interface JoinReply {
  /** The connect token, 2048 bytes in base64. */
  readonly token: string;
  /** Decimal. */
  readonly clientId: string;
  /** Sent with the next join it makes this client the same one again. Keep it as secret as a session cookie. */
  readonly identity: string;
  readonly room: string;
  /** Where to open the WebSocket. */
  readonly websocket: string;
  /** `host:port` for native UDP; the token holds it as well. */
  readonly udp: string;
  readonly tickRate: number;
  /** The game's schema hash in hex: a client with another one is not let in. */
  readonly schema: string;
}

export interface JoinRefusal {
  /** One of: badRequest, unknownRoom, schemaMismatch, serverFull. */
  readonly code: "badRequest" | "unknownRoom" | "schemaMismatch" | "serverFull";
  readonly error: string;
}

export type JoinOutcome =
  | { readonly status: 200; readonly body: JoinReply }
  | { readonly status: 400 | 404 | 409 | 503; readonly body: JoinRefusal };

/** What the service must know of the request beside its body. */
export interface JoinSource {
  readonly localAddress: string | undefined;
  readonly localPort: number;
  /** The `Host` header. */
  readonly host: string | undefined;
}

export class JoinService {
  readonly #options: JoinServiceOptions;
  readonly #schema: string;

  constructor(options: JoinServiceOptions) {
    this.#options = options;
    this.#schema = Buffer.from(options.schemaHash).toString("hex");
  }

  join(body: Readonly<Record<string, unknown>>, source: JoinSource): JoinOutcome {
    const { room = "", identity, userData, schema } = body;
    if (!isRoomName(room)) return refuse(400, "badRequest", "`room` must be a room's name, at most 32 bytes");
    if (schema !== undefined && schema !== this.#schema) {
      return refuse(
        409,
        "schemaMismatch",
        "the client was built from another version of the game than this server: reload the page, or build and start both from the same source",
      );
    }
    const gameData = userDataOf(userData);
    if (gameData === undefined) {
      return refuse(400, "badRequest", `\`userData\` must be base64 of at most ${GAME_DATA_BYTES} bytes`);
    }
    let clientId: bigint | undefined;
    if (identity !== undefined) {
      if (typeof identity !== "string") return refuse(400, "badRequest", "`identity` must be a string");
      // An identity of another run of the server is no error: its holder is simply somebody new.
      clientId = this.#options.identity.verify(identity);
    }
    clientId ??= this.#options.identity.create();
    if (!this.#options.hasRoom(room)) return refuse(404, "unknownRoom", `there is no room "${room}" on this server`);
    if (this.#options.isFull(room, clientId)) return refuse(503, "serverFull", "no seat is free, try again later");
    const token = this.#options.issueToken({ clientId, room, userData: gameData, localAddress: source.localAddress });
    const authority = authorityOf(source);
    return {
      status: 200,
      body: {
        token: Buffer.from(token).toString("base64"),
        clientId: clientId.toString(),
        identity: this.#options.identity.sign(clientId),
        room,
        websocket: `ws://${authority}/riposte`,
        udp: authority,
        tickRate: this.#options.tickRate,
        schema: this.#schema,
      },
    };
  }
}

function refuse(status: 400 | 404 | 409 | 503, code: JoinRefusal["code"], error: string): JoinOutcome {
  return { status, body: { code, error } };
}

function userDataOf(value: unknown): Uint8Array | undefined {
  if (value === undefined) return new Uint8Array(0);
  if (typeof value !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.length <= GAME_DATA_BYTES ? new Uint8Array(bytes) : undefined;
}

/** `host:port` as the client wrote it, when it is one; else the address the request came in on. */
function authorityOf(source: JoinSource): string {
  const host = source.host;
  if (host !== undefined && /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(host)) return host;
  const address = source.localAddress ?? "127.0.0.1";
  return address.includes(":") ? `[${address}]:${source.localPort}` : `${address}:${source.localPort}`;
}
