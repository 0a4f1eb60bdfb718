/**
 * Between nodes and one balancer: loses requests and answers, or delays them, or changes what nodes report. What balancers say to
 * each other goes through it as it is.
 */
import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Random } from "../../../protocol/src/index.ts";

export interface Meddling {
  /** Of requests, and of answers: the share that never arrives. Default 0. */
  readonly loss?: number;
  /** Of both, the share that takes up to `delayMs` more. Default 0. */
  readonly delayed?: number;
  readonly delayMs?: number;
  /** What a node says instead. */
  readonly rewrite?: (node: string, report: Record<string, unknown>) => unknown;
}

export class MeddlingProxy implements AsyncDisposable {
  meddling: Meddling = {};
  lost = 0;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #random: Random;
  readonly #port: number;

  private constructor(port: number, seed: number) {
    this.#port = port;
    this.#random = new Random(seed);
    this.#server = createServer((request, response) => void this.#pass(request, response));
  }

  /** To `port` of this machine. */
  static async start(port: number, seed: number): Promise<MeddlingProxy> {
    const proxy = new MeddlingProxy(port, seed);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => undefined);
    const { url: path = "", method = "GET", headers } = request;
    const node = /^\/v1\/nodes\/([^/]+)\/report$/.exec(path)?.[1];
    const isNodes = path.startsWith("/v1/nodes");
    if (body === undefined || (isNodes && !(await this.#arrives()))) return;
    const { rewrite } = this.meddling;
    const changed =
      node === undefined || rewrite === undefined
        ? body
        : Buffer.from(JSON.stringify(rewrite(node, JSON.parse(body.toString()) as Record<string, unknown>)));
    const to = { port: this.#port, host: "127.0.0.1", path, method, agent: this.#agent };
    const sent = send({ ...to, headers: { ...headers, "content-length": changed.length } }, (answer) => {
      void buffer(answer).then(
        async (bytes) => {
          if (isNodes && !(await this.#arrives())) return;
          response.writeHead(answer.statusCode ?? 502, answer.headers).end(bytes);
        },
        () => response.destroy(),
      );
    });
    sent.on("error", () => response.destroy());
    sent.end(changed);
  }

  async #arrives(): Promise<boolean> {
    const { loss = 0, delayed = 0, delayMs = 0 } = this.meddling;
    if (this.#random.chance(loss)) {
      this.lost++;
      return false;
    }
    const forMs = this.#random.chance(delayed) ? this.#random.int(delayMs) : 0;
    if (forMs > 0) await new Promise((resolve) => setTimeout(resolve, forMs));
    return true;
  }
}

/** As `LocalFleetOptions.front`; the proxies are in `proxies` then. */
export function frontBy(proxies: MeddlingProxy[]): (port: number) => Promise<string> {
  return async (port) => {
    const proxy = await MeddlingProxy.start(port, port);
    proxies.push(proxy);
    return proxy.url;
  };
}
