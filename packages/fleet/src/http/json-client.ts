/** JSON over HTTP/1.1 on connections that stay open: between balancers, and from nodes to them. Never hangs, never throws for an answer. */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface JsonReply {
  readonly status: number;
  /** `undefined` where there was none, or no JSON. */
  readonly body: unknown;
}

export interface JsonPost {
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** "POST" by default. */
  readonly method?: "GET" | "POST" | "DELETE";
}

const MAX_REPLY_BYTES = 4 << 20;

export class JsonClient implements Disposable {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  /** `maxSockets`: for each address. Default 8. */
  constructor({ maxSockets = 8, ca }: { readonly maxSockets?: number; readonly ca?: string } = {}) {
    const options = { keepAlive: true, maxSockets, scheduling: "lifo" as const };
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent(ca === undefined ? options : { ...options, ca });
  }

  /** Sends `body` (a string is JSON already). Rejects when nothing answers within `timeoutMs`, or the connection breaks. */
  send(url: string, body: unknown, post: JsonPost): Promise<JsonReply> {
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    const headers: Record<string, string | number> = { ...post.headers, "content-length": Buffer.byteLength(text) };
    if (text !== "") headers["content-type"] = "application/json";
    const isSecure = url.startsWith("https:");
    const options: RequestOptions = {
      method: post.method ?? "POST",
      headers,
      agent: isSecure ? this.#https : this.#http,
    };
    const { promise, resolve, reject } = Promise.withResolvers<JsonReply>();
    const request = (isSecure ? httpsRequest : httpRequest)(url, options, (response) => {
      readReply(response).then(resolve, reject);
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer in ${post.timeoutMs} ms`)), post.timeoutMs);
    request.on("error", reject);
    request.on("close", () => clearTimeout(timer));
    request.end(text);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

async function readReply(response: IncomingMessage): Promise<JsonReply> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    const bytes = part as Buffer;
    size += bytes.length;
    if (size > MAX_REPLY_BYTES) throw new Error(`the answer is larger than ${MAX_REPLY_BYTES} bytes`);
    parts.push(bytes);
  }
  const status = response.statusCode ?? 0;
  try {
    return { status, body: JSON.parse(Buffer.concat(parts).toString()) };
  } catch {
    return { status, body: undefined };
  }
}
