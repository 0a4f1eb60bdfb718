/** Reads a request's body as JSON, within a limit. What is wrong with it comes back as an HTTP status, never as an exception. */

import type { IncomingMessage } from "node:http";

export type JsonBody =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly status: number; readonly message: string };

/** An empty body counts as `{}`. Anything but a JSON object is refused. */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<JsonBody> {
  const tooLarge: JsonBody = { ok: false, status: 413, message: `the body may have ${maxBytes} bytes at most` };
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return tooLarge;
      chunks.push(chunk);
    }
  } catch {
    return { ok: false, status: 400, message: "the request was aborted" };
  }
  if (length === 0) return { ok: true, value: {} };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return { ok: false, status: 400, message: "the body is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, status: 400, message: "the body must be a JSON object" };
  }
  return { ok: true, value: value as Readonly<Record<string, unknown>> };
}
