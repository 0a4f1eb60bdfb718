/** A balancer's API as operators' commands call it. */
import { CommandError } from "./command-error.ts";

export interface OperatorOptions {
  readonly balancer: string;
  readonly token?: string;
  readonly json: boolean;
}

const TIMEOUT_MS = 10_000;

export class OperatorClient {
  readonly #url: string;
  readonly #token: string;

  /** Throws `CommandError`. */
  constructor({ balancer, token }: Pick<OperatorOptions, "balancer" | "token">) {
    if (!URL.canParse(balancer) || !/^https?:/.test(balancer))
      throw new CommandError("usage", `--balancer ${balancer} is no address: give http://host:7800`);
    if (token === undefined || token === "")
      throw new CommandError("usage", "--token is missing: make one with riposte token, or set RIPOSTE_TOKEN");
    this.#url = balancer.replace(/\/+$/, "");
    this.#token = token;
  }

  /** `path` is below /v1/. Rejects with a `CommandError`. */
  async ask(method: "GET" | "POST" | "PATCH", path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: Error) => {
      throw new CommandError(
        "unreachable",
        `${this.#url} does not answer (${reasonOf(error)}): is a balancer running there? See --balancer`,
      );
    });
    const reply: unknown = await response.json().catch(() => undefined);
    if (response.ok) return reply;
    const { error = `status ${response.status}` } = (reply ?? {}) as { readonly error?: string };
    const hint = response.status === 401 ? " (riposte token makes a token for --token)" : "";
    throw new CommandError("refused", `${error}${hint}`);
  }
}

function reasonOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
