/** The balancer's API, with the operator's token. */
import type {
  ConfigChange,
  ConfigVersion,
  DryRunReport,
  ExplainReply,
  NodeCommand,
  NodeState,
  ServerNode,
  StatsReply,
} from "@riposte/fleet";

/** What was asked for is refused, or nothing answered (status 0). */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface NodePage {
  readonly nodes: readonly ServerNode[];
  /** There are more than were asked for. */
  readonly next?: string;
}

export interface ExplainRequest {
  readonly clients: readonly {
    readonly clientId: string;
    readonly ip?: string;
    readonly latencies?: Readonly<Record<string, number>>;
  }[];
  readonly filter?: Readonly<Record<string, unknown>>;
  readonly strategy?: string;
}

const TIMEOUT_MS = 10_000;

export class Api {
  readonly #token: string;
  readonly #onRefused: (failure: ApiFailure) => void;

  /** `onRefused`: the token does not count any more. */
  constructor(token: string, onRefused: (failure: ApiFailure) => void) {
    this.#token = token;
    this.#onRefused = onRefused;
  }

  stats(): Promise<StatsReply> {
    return this.#ask("GET", "stats") as Promise<StatsReply>;
  }

  nodes(filter: { readonly region?: string; readonly state?: NodeState; readonly limit: number }): Promise<NodePage> {
    const query = new URLSearchParams({ limit: String(filter.limit) });
    if (filter.region !== undefined) query.set("region", filter.region);
    if (filter.state !== undefined) query.set("state", filter.state);
    return this.#ask("GET", `nodes?${query}`) as Promise<NodePage>;
  }

  commandNode(id: string, command: NodeCommand): Promise<ServerNode> {
    return this.#ask("POST", `nodes/${encodeURIComponent(id)}/${command}`) as Promise<ServerNode>;
  }

  async registerNode(registration: unknown): Promise<void> {
    await this.#ask("POST", "nodes", registration);
  }

  explain(request: ExplainRequest): Promise<ExplainReply> {
    return this.#ask("POST", "explain", request) as Promise<ExplainReply>;
  }

  config(): Promise<ConfigVersion> {
    return this.#ask("GET", "config") as Promise<ConfigVersion>;
  }

  async configVersions(): Promise<readonly ConfigVersion[]> {
    return ((await this.#ask("GET", "config/versions")) as { versions: readonly ConfigVersion[] }).versions;
  }

  dryRun(patch: unknown): Promise<DryRunReport> {
    return this.#ask("PATCH", "config?dryRun=true", patch) as Promise<DryRunReport>;
  }

  changeConfig(patch: unknown, comment: string): Promise<ConfigChange> {
    const query = comment === "" ? "" : `?${new URLSearchParams({ comment })}`;
    return this.#ask("PATCH", `config${query}`, patch) as Promise<ConfigChange>;
  }

  rollBack(version: number): Promise<ConfigVersion> {
    return this.#ask("POST", "config/rollback", { version }) as Promise<ConfigVersion>;
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(new URL(`../v1/${path}`, document.baseURI), {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: "no-store",
    }).catch(() => undefined);
    if (response === undefined) throw new ApiFailure(0, "The balancer does not answer.");
    const reply: unknown = await response.json().catch(() => undefined);
    if (response.ok) return reply;
    const { error } = (reply ?? {}) as { readonly error?: string };
    const failure = new ApiFailure(response.status, error ?? `The balancer answered with status ${response.status}.`);
    if (failure.status === 401) this.#onRefused(failure);
    throw failure;
  }
}
