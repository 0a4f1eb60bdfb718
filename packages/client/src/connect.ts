/** `connect(game, url)`: a player's way into a game, from a browser or from Node. */

import { dialers, defaultCarrier } from "#carriers";
import { NetworkError } from "@riposte/protocol";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { AnyGame, InterpolationMode } from "@riposte/simulation/game";
import { GameSession } from "./game-session.ts";
import { requestToken, websocketUrl } from "./join.ts";
import type { JoinGrant } from "./join.ts";
import type { Session } from "./session.ts";

export interface ConnectOptions {
  /** A connect token from the game's backend, 2048 bytes. Default: one is asked of the server's own token service. */
  readonly token?: Uint8Array;
  /** Room to join. A token that is given names its room itself. Default: the default room. */
  readonly room?: string;
  /** `session.identity` of an earlier session: come back as the same client. */
  readonly identity?: string;
  /** Up to 192 bytes for the game's `join`, by the server's own token service. */
  readonly userData?: Uint8Array;
  /** Default: WebSocket in browsers; in Node UDP, and WebSocket where UDP does not get through. */
  readonly carrier?: "udp" | "websocket";
  /** Older inputs sent again with each new one, 0 to 31. Default: 3, up to 10 as packets get lost. */
  readonly inputRedundancy?: number;
  /** Time in which half of a correction of an own entity fades from the picture; 0: none is smoothed. Default 60 ms. */
  readonly smoothingHalfLifeMs?: number;
  /** How others are drawn; `session.interpolationMode` changes it later. Default "linear". */
  readonly interpolationMode?: InterpolationMode;
  /** On lines with a longer round trip, in ms, others are drawn in mode "extrapolation", without delay. Default: never. */
  readonly extrapolateAboveMs?: number;
  /** With that, mode "ahead" instead: so far ahead of the news, in ms, 0 to 200. Mode "ahead" by name: 200 by default. */
  readonly extrapolateByMs?: number;
  /** Own inputs act this many ticks later on this client, 0 to 10: less is predicted, and less is wrong. Default 0. */
  readonly inputDelayTicks?: number;
  /** Most bytes that inputs and predicted states are kept in. Default 4 MiB. */
  readonly historyBytes?: number;
  /** Artificial network conditions from the first packet on. */
  readonly simulate?: NetworkConditions;
  /** Aborting gives up connecting; the promise rejects with the signal's reason. It does not end an open session. */
  readonly signal?: AbortSignal;
}

/** How long the server may take to give an admitted client its seat. */
const SEAT_TIMEOUT_MS = 10_000;

/**
 * Connects and resolves when the server has given this player a seat. `url` is the server's http(s)
 * URL; only its origin counts, so `location.href` will do. Rejects with a `NetworkError` whose
 * message says what to do, or with the signal's reason.
 */
export async function connect<G extends AnyGame>(
  game: G,
  url: string | URL,
  options: ConnectOptions = {},
): Promise<Session<G>> {
  const { signal, carrier, token } = options;
  const target = parseUrl(url);
  signal?.throwIfAborted();
  if (token !== undefined && token.length !== 2048)
    throw new RangeError(`a connect token has 2048 bytes, got ${token.length}`);
  const grant: Grant =
    token === undefined
      ? await ask(game, target, options, options.identity)
      : { token, websocket: websocketUrl(target).href };
  try {
    return await open(game, carrier ?? defaultCarrier, grant, options);
  } catch (error) {
    const udpBlocked = error instanceof NetworkError && error.code === "timedOut" && defaultCarrier === "udp";
    if (carrier !== undefined || !udpBlocked) throw error;
    // A token that never reached the server still admits, as long as it is not too old. Where more can be had, a new one is surer.
    const next = token === undefined ? await ask(game, target, options, grant.identity) : grant;
    return open(game, "websocket", next, options);
  }
}

function ask(game: AnyGame, url: URL, options: ConnectOptions, identity: string | undefined): Promise<JoinGrant> {
  const { room = "", userData, signal } = options;
  return requestToken({ url, room, identity, userData, schemaHash: game.schemaHash, signal });
}

/** A grant of the server's token service, or a token from elsewhere, of which less is known. */
type Grant = Pick<JoinGrant, "token" | "websocket"> & Partial<JoinGrant>;

async function open<G extends AnyGame>(
  game: G,
  carrier: "udp" | "websocket",
  grant: Grant,
  options: ConnectOptions,
): Promise<Session<G>> {
  const { signal, simulate } = options;
  const dial = dialers[carrier];
  if (dial === undefined) throw new TypeError(`there is no ${carrier} in this runtime: leave \`carrier\` out`);
  const session = new GameSession(game, options);
  const connected = await dial({
    url: grant.websocket,
    token: grant.token,
    schemaHash: game.schemaHash,
    handlers: session.handlers,
    signal,
    simulate,
  });
  session.start(connected, grant.clientId, grant.identity);
  await seated(session, signal);
  return session;
}

/** Waits for the seat; on failure the session is closed. */
async function seated(session: GameSession<AnyGame>, signal: AbortSignal | undefined): Promise<void> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal?.reason as Error);
  const timer = setTimeout(
    () => reject(new NetworkError("timedOut", "the server let this client in but gave it no seat")),
    SEAT_TIMEOUT_MS,
  );
  signal?.addEventListener("abort", abort);
  try {
    signal?.throwIfAborted();
    await Promise.race([session.ready, failed]);
  } catch (error) {
    await session.close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function parseUrl(url: string | URL): URL {
  const text = String(url);
  if (!URL.canParse(text)) throw new TypeError(`url must be like "http://localhost:7777", got "${text}"`);
  const parsed = new URL(text);
  switch (parsed.protocol) {
    case "http:":
    case "https:":
      return parsed;
    case "ws:":
    case "wss:":
      parsed.protocol = parsed.protocol === "ws:" ? "http:" : "https:";
      return parsed;
    default:
      throw new TypeError(`url must begin with http:// or https://, got "${text}"`);
  }
}
