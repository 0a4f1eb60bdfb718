/**
 * As much of a Kubernetes API with Agones as the driver calls: GameServers of Fleets, allocated by `GameServerAllocation`, with
 * the shapes of their documentation. A Fleet has as many GameServers as it is told; an Allocated one is never removed by that.
 */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { FleetAutoscaleReview } from "../src/scaling/agones/autoscale-review.ts";

interface GameServer {
  readonly name: string;
  readonly fleet: string;
  state: "Starting" | "Ready" | "Allocated";
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

export class FakeKubernetes implements AsyncDisposable {
  readonly gameServers: Map<string, GameServer> = new Map();
  /** `METHOD path`. */
  readonly calls: string[] = [];
  readonly bodies: unknown[] = [];
  /** Answers that come first. */
  readonly next: Answer[] = [];
  readonly token = "service-account-token";
  url = "";
  /** GameServers that were made, removed by scaling, and deleted by hand. */
  made = 0;
  removed = 0;
  deleted = 0;
  readonly #server: Server;

  private constructor(tls?: { readonly key: string; readonly cert: string }) {
    const listener: RequestListener = (request, response) => void this.#answer(request, response);
    this.#server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  }

  static async listen(tls?: { readonly key: string; readonly cert: string }): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes(tls);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    const { port } = fake.#server.address() as AddressInfo;
    fake.url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
    return fake;
  }

  in(fleet: string, state?: GameServer["state"]): readonly GameServer[] {
    return Array.from(this.gameServers.values()).filter(
      (server) => server.fleet === fleet && (state === undefined || server.state === state),
    );
  }

  /** As Agones' controller does: makes Ready ones, removes those that are not Allocated. */
  scale(fleet: string, replicas: number): void {
    for (let missing = replicas - this.in(fleet).length; missing > 0; missing--) {
      const name = `${fleet}-abcde-${String(++this.made).padStart(5, "0")}`;
      this.gameServers.set(name, { name, fleet, state: "Ready" });
    }
    const idle = this.in(fleet, "Ready");
    for (const { name } of idle.slice(0, Math.max(0, this.in(fleet).length - replicas))) {
      this.gameServers.delete(name);
      this.removed++;
    }
  }

  /** What Agones sends to the webhook of a Fleet's autoscaler. */
  review(fleet: string, uid = "58c51d2c-0b1b-4f0f-9e2b-0d6b3b8f4a3d"): FleetAutoscaleReview {
    const status = {
      replicas: this.in(fleet).length,
      readyReplicas: this.in(fleet, "Ready").length,
      reservedReplicas: 0,
      allocatedReplicas: this.in(fleet, "Allocated").length,
    };
    return { request: { uid, name: fleet, namespace: "games", status }, response: null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    this.calls.push(`${request.method} ${request.url}`);
    const { status, body } = this.next.shift() ?? this.#serve(request, text);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  #serve({ method, url = "", headers }: IncomingMessage, text: string): Answer {
    if (headers.authorization !== `Bearer ${this.token}`) return failure(401, "Unauthorized");
    if (url === "/apis/allocation.agones.dev/v1/namespaces/games/gameserverallocations" && method === "POST")
      return this.#allocate(JSON.parse(text) as Allocation);
    const name = /^\/apis\/agones\.dev\/v1\/namespaces\/games\/gameservers\/([^/]+)$/.exec(url)?.[1];
    const server = name === undefined ? undefined : this.gameServers.get(name);
    if (name === undefined) return failure(404, "the server could not find the requested resource");
    if (server === undefined) return failure(404, `gameservers.agones.dev "${name}" not found`);
    const metadata = { name, namespace: "games", labels: { "agones.dev/fleet": server.fleet } };
    if (method === "GET")
      return { status: 200, body: { apiVersion: "agones.dev/v1", kind: "GameServer", metadata, status: server } };
    if (method !== "DELETE") return failure(405, "the server does not allow this method");
    this.gameServers.delete(name);
    this.deleted++;
    return { status: 200, body: { kind: "Status", apiVersion: "v1", status: "Success", details: { name } } };
  }

  #allocate(request: Allocation): Answer {
    this.bodies.push(request);
    const { apiVersion, kind, spec } = request;
    if (apiVersion !== "allocation.agones.dev/v1" || kind !== "GameServerAllocation")
      return failure(400, `no kind "${kind}" is registered for version "${apiVersion}"`);
    const [{ matchLabels, gameServerState }] = spec.selectors;
    const [server] = this.in(matchLabels["agones.dev/fleet"], gameServerState);
    const metadata = { name: server?.name, namespace: "games", creationTimestamp: "2026-01-05T00:00:00Z" };
    const answered = { kind, apiVersion, spec: { ...spec, scheduling: "Packed", metadata: {} } };
    if (server === undefined)
      return {
        status: 201,
        body: { ...answered, metadata: {}, status: { state: "UnAllocated", gameServerName: "", source: "" } },
      };
    server.state = "Allocated";
    const status = {
      state: "Allocated",
      gameServerName: server.name,
      ports: [{ name: "default", port: 7445 }],
      address: "203.0.113.18",
      nodeName: "pool-1",
      source: "local",
    };
    return { status: 201, body: { ...answered, metadata, status } };
  }
}

interface Allocation {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly selectors: readonly [
      { readonly matchLabels: Readonly<Record<string, string>>; readonly gameServerState: "Ready" },
    ];
  };
}

/** As Kubernetes refuses. */
export function failure(code: number, message: string): Answer {
  return { status: code, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code } };
}
