/** An echo server and a client of Riposte's; in processes of their own, or together in one over `memoryDatapath`. */
import { nodeCrypto } from "@riposte/datapath";
import type { Datapath } from "@riposte/datapath";
import type { Channel, Connection } from "@riposte/protocol/channel";
import { generateConnectToken, writeUserData } from "@riposte/protocol/netcode";
import { dialUdp, listenNetworkThread, listenTransport } from "@riposte/transport";
import type { ClientTransport, GameTransport, TransportHandlers } from "@riposte/transport";
import { BROKEN_AFTER_MS, EchoWindow } from "./echo-window.ts";
import type { EchoResult } from "./echo-window.ts";
import { LoneSender } from "./lone-sender.ts";
import { BULK_BYTES, BulkAnswers, WISH_BULK, WISH_ECHO, WISH_LONE_ECHO, wishOf } from "./message.ts";

const MAX_CLIENTS = 64;

const PROTOCOL_ID = 0x7269_706f_7374_6501n;
const PRIVATE_KEY: Uint8Array = new Uint8Array(32).fill(7);
const SCHEMA_HASH: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const LOST_AFTER_MS = 300;

export type Mode = "unreliable" | "reliable" | "unbatched";

let lastClientId = 0;

/** Answers each message on the channel it came on, with what it wishes for. */
export async function listenEcho(
  options: { readonly datapath?: Datapath; readonly networkThread?: boolean } = {},
): Promise<GameTransport> {
  const { datapath, networkThread = false } = options;
  const bulk = new BulkAnswers();
  const listen = networkThread ? listenNetworkThread : listenTransport;
  const server = await listen({
    host: "127.0.0.1",
    protocolId: PROTOCOL_ID,
    privateKey: PRIVATE_KEY,
    maxClients: MAX_CLIENTS,
    schemaHash: SCHEMA_HASH,
    http: false,
    ...(datapath !== undefined && { datapath }),
    handlers: {
      message: (connection, channel, buffer, offset, length) => {
        const wish = wishOf(buffer, offset);
        if (wish === WISH_ECHO) connection.send(channel, buffer, offset, length);
        else if (wish === WISH_LONE_ECHO) lone.send(connection, channel, buffer, offset);
        else if (wish === WISH_BULK) connection.send("reliableOrdered", bulk.to(buffer, offset), 0, BULK_BYTES);
      },
    },
  });
  const lone = new LoneSender(() => server.flush());
  return server;
}

export async function dial(
  port: number,
  handlers: TransportHandlers<Connection>,
  datapath?: Datapath,
): Promise<ClientTransport> {
  const token = generateConnectToken({
    protocolId: PROTOCOL_ID,
    clientId: BigInt(++lastClientId),
    privateKey: PRIVATE_KEY,
    serverAddresses: [`127.0.0.1:${port}`],
    timeoutSeconds: 10,
    // As the tokens of `listen` have it: all extensions are permitted.
    userData: writeUserData({}),
    nowSeconds: Date.now() / 1000,
    crypto: nodeCrypto(),
  });
  return await dialUdp({ token, schemaHash: SCHEMA_HASH, handlers, ...(datapath !== undefined && { datapath }) });
}

/** A client that keeps a window of messages under way. */
export class EchoClient {
  readonly transport: ClientTransport;
  readonly #window: EchoWindow;
  #channel: Channel = "unreliableUnordered";
  #unbatched = false;

  static async dial(port: number, datapath?: Datapath): Promise<EchoClient> {
    const handlers: TransportHandlers<Connection> = {};
    return new EchoClient(await dial(port, handlers, datapath), handlers);
  }

  private constructor(transport: ClientTransport, handlers: TransportHandlers<Connection>) {
    this.transport = transport;
    const { connection } = transport;
    const flush = (): void => transport.flush();
    const lone = new LoneSender(flush);
    const window = new EchoWindow((message) => {
      if (this.#unbatched) lone.send(connection, this.#channel, message, 0);
      else connection.send(this.#channel, message);
    }, flush);
    this.#window = window;
    handlers.message = (_connection, _channel, buffer, offset, length) => window.handle(buffer, offset, length);
  }

  /** The commands of a client's process; see `answerCommands`. */
  readonly commands = {
    echo: async ([window, durationMs, mode]: readonly string[]): Promise<EchoResult> =>
      await this.echo(Number(window), Number(durationMs), mode as Mode),
    bulk: async ([durationMs]: readonly string[]): Promise<EchoResult> => await this.bulk(Number(durationMs)),
  };

  async echo(window: number, durationMs: number, mode: Mode): Promise<EchoResult> {
    this.#channel = mode === "reliable" ? "reliableOrdered" : "unreliableUnordered";
    this.#unbatched = mode === "unbatched";
    const lostAfterMs = mode === "reliable" ? BROKEN_AFTER_MS : LOST_AFTER_MS;
    return await this.#window.echo(window, durationMs, lostAfterMs, this.#unbatched ? WISH_LONE_ECHO : WISH_ECHO);
  }

  async bulk(durationMs: number): Promise<EchoResult> {
    this.#channel = "reliableOrdered";
    this.#unbatched = false;
    return await this.#window.bulk(durationMs);
  }
}
