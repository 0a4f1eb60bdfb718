/**
 * The operators' web console: a few static files, which are read once and kept. The page itself is for anybody; all that it shows
 * comes from the API with the operator's token. It runs under a policy that lets in nothing but these files and this API.
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";

interface ConsoleFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** By path below /console/; none: it is not built. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

/** Where apps/console is built to. */
const CONSOLE_FOLDER = fileURLToPath(new URL("../../console/", import.meta.url));

const MAX_FILES = 64;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

export async function readConsole(folder: string = CONSOLE_FOLDER): Promise<ConsoleFiles> {
  const files: Map<string, ConsoleFile> = new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined || files.size >= MAX_FILES) continue;
    const path = join(entry.parentPath, entry.name);
    const body = await readFile(path);
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(relative(folder, path).split(sep).join("/"), { body, type, etag });
  }
  return files;
}

export function addConsoleRoutes(app: FastifyInstance, files: ConsoleFiles): void {
  const schema = { hide: true };
  app.get("/console", { schema }, (_request, reply) => reply.redirect("console/", 302));
  app.get("/console/*", { schema }, (request, reply) => send(request, reply, files));
}

function send(request: FastifyRequest, reply: FastifyReply, files: ConsoleFiles): FastifyReply {
  if (files.size === 0)
    throw new ApiError(404, "noConsole", "The console is not built: run npm run console:build in the repository.");
  const path = (request.params as { "*": string })["*"];
  const file = files.get(path === "" ? "index.html" : path);
  if (file === undefined) throw new ApiError(404, "noRoute", "The console has no such file: open /console/.");
  void reply.headers(HEADERS).header("etag", file.etag);
  // Vite names what lies in assets/ after its content.
  void reply.header("cache-control", path.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
  return reply.type(file.type).send(file.body);
}
