/**
 * A game server's side of Agones: the SDK server in its pod, by HTTP (Agones' docs/guides/client-sdks/rest). It says that the
 * process is ready and well, and when its GameServer is Allocated, which is when it joins the fleet.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { JsonClient } from "../../http/json-client.ts";

export interface AgonesSdkOptions {
  /** Default: AGONES_SDK_HTTP_PORT, which Agones sets, or 9358. */
  readonly port?: number;
  /** Default 2000 ms: less than half of `health.periodSeconds` of the Fleet. */
  readonly healthEveryMs?: number;
}

export interface AgonesGameServer {
  readonly name: string;
  /** Where players reach it, with the ports that Agones has opened, by their names. */
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
}

interface GameServerText {
  readonly object_meta?: { readonly name?: string };
  readonly objectMeta?: { readonly name?: string };
  readonly status?: {
    readonly state?: string;
    readonly address?: string;
    readonly ports?: readonly { readonly name: string; readonly port: number }[];
  };
}

const ASK_EVERY_MS = 500;
const TIMEOUT_MS = 5000;

export class AgonesSdk implements Disposable {
  readonly #url: string;
  readonly #client = new JsonClient({ maxSockets: 2 });
  readonly #timer: NodeJS.Timeout;

  /** From now on it says that it is well, for as long as this process has time for it. */
  constructor(options: AgonesSdkOptions = {}) {
    const { port = Number(process.env.AGONES_SDK_HTTP_PORT ?? 9358), healthEveryMs = 2000 } = options;
    this.#url = `http://localhost:${port}`;
    this.#timer = setInterval(() => void this.#post("health").catch(() => undefined), healthEveryMs).unref();
  }

  /** It can take players; resolves when its GameServer is Allocated. Asks again while the SDK server is not there. */
  async allocated(signal?: AbortSignal): Promise<AgonesGameServer> {
    let isReady = false;
    for (;;) {
      signal?.throwIfAborted();
      try {
        if (!isReady) await this.#post("ready");
        isReady = true;
        const { body } = await this.#client.send(`${this.#url}/gameserver`, undefined, {
          method: "GET",
          timeoutMs: TIMEOUT_MS,
        });
        const found = read(body);
        if (found !== undefined) return found;
      } catch {
        // It may start after this process.
      }
      await sleep(ASK_EVERY_MS);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#client[Symbol.dispose]();
  }

  async #post(what: "ready" | "health"): Promise<void> {
    const { status } = await this.#client.send(`${this.#url}/${what}`, {}, { timeoutMs: TIMEOUT_MS });
    if (status !== 200) throw new Error(`${what} was answered with ${status}`);
  }
}

/** `undefined`: not Allocated. */
function read(body: unknown): AgonesGameServer | undefined {
  const { object_meta, objectMeta, status } = (body ?? {}) as GameServerText;
  const name = (object_meta ?? objectMeta)?.name;
  if (name === undefined || status?.state !== "Allocated" || status.address === undefined) return undefined;
  const ports = Object.fromEntries((status.ports ?? []).map((port) => [port.name, port.port]));
  return { name, address: status.address, ports };
}
