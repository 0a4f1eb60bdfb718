/** The few calls to the Kubernetes API that the Agones driver makes, with the pod's service account. */
import { readFile } from "node:fs/promises";
import { JsonClient } from "../../http/json-client.ts";
import type { JsonReply } from "../../http/json-client.ts";

export interface KubernetesApiOptions {
  /** `https://10.0.0.1:443`. */
  readonly url: string;
  /** In PEM, of who signed the API's certificate. Default: whom this machine trusts. */
  readonly ca?: string;
  /** Asked for each request. */
  readonly token: () => Promise<string>;
  /** Default 10000 ms. */
  readonly timeoutMs?: number;
}

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Kubernetes changes a pod's token about once an hour. */
const READ_TOKEN_EVERY_MS = 60_000;

export class KubernetesError extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "KubernetesError";
    this.status = status;
  }
}

export class KubernetesApi implements Disposable {
  readonly #options: KubernetesApiOptions;
  readonly #client: JsonClient;

  constructor(options: KubernetesApiOptions) {
    this.#options = options;
    this.#client = new JsonClient({ maxSockets: 4, ...(options.ca === undefined ? {} : { ca: options.ca }) });
  }

  /** Of the cluster whose pod this process is in, and the pod's namespace. */
  static async inCluster(): Promise<{ readonly api: KubernetesApi; readonly namespace: string }> {
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = process.env;
    if (host === undefined)
      throw new Error("KUBERNETES_SERVICE_HOST is not set: this process is in no pod of a Kubernetes cluster");
    const [ca, namespace] = await Promise.all([read("ca.crt"), read("namespace")]);
    let token = { text: await read("token"), readAt: performance.now() };
    const api = new KubernetesApi({
      url: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      ca,
      token: async () => {
        if (performance.now() - token.readAt > READ_TOKEN_EVERY_MS)
          token = { text: await read("token"), readAt: performance.now() };
        return token.text;
      },
    });
    return { api, namespace };
  }

  /** The answer's body. Rejects with a `KubernetesError` for a status that is not 2xx, with another error when nothing answers. */
  async call(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<unknown> {
    const { url, token, timeoutMs = 10_000 } = this.#options;
    const headers = { authorization: `Bearer ${await token()}`, accept: "application/json" };
    const reply = await this.#client.send(`${url}${path}`, body, { method, headers, timeoutMs });
    if (reply.status >= 200 && reply.status < 300) return reply.body;
    throw new KubernetesError(reply.status, `${method} ${path}: ${reply.status} ${messageOf(reply)}`);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

async function read(file: string): Promise<string> {
  return (await readFile(`${ACCOUNT}/${file}`, "utf8")).trim();
}

/** Of a `Status`, which is how Kubernetes refuses. */
function messageOf({ body }: JsonReply): string {
  return typeof body === "object" && body !== null && "message" in body ? String(body.message).slice(0, 300) : "";
}
