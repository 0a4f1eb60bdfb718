/** The HTTP side alone: tokens, health, files, and what hostile requests get. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createHttpFront } from "../src/http/http-front.ts";
import type { HttpFrontOptions } from "../src/http/http-front.ts";
import { ClientIdentity } from "../src/http/client-identity.ts";
import { JoinService } from "../src/http/join-service.ts";
import type { TokenGrant } from "../src/http/join-service.ts";

async function openFiles(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}

interface Front {
  readonly port: number;
  readonly grants: TokenGrant[];
  readonly errors: unknown[];
  url(path: string): string;
  join(body: unknown, headers?: Record<string, string>): Promise<{ status: number; body: Record<string, string> }>;
}

async function startFront(t: TestContext, changes: Partial<HttpFrontOptions> = {}): Promise<Front> {
  const grants: TokenGrant[] = [];
  const errors: unknown[] = [];
  const joinService = new JoinService({
    identity: new ClientIdentity(new Uint8Array(32).fill(7)),
    schemaHash: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    tickRate: 60,
    hasRoom: (name) => name === "" || name === "duel" || name === "full",
    isFull: (name) => name === "full",
    issueToken: (grant) => {
      grants.push(grant);
      return new Uint8Array(2048).fill(grants.length);
    },
  });
  const server = createHttpFront({
    joinService,
    behindProxy: false,
    joinRate: { burst: 1000, perSec: 1000 },
    allowedOrigins: "*",
    publicDir: undefined,
    production: false,
    maxSockets: 100,
    health: () => ({ status: "ok" }),
    onError: (error) => errors.push(error),
    ...changes,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  return {
    port,
    grants,
    errors,
    url,
    async join(body, headers = {}) {
      const response = await fetch(url("/riposte/join"), {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers,
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    },
  };
}

/** Sends bytes as they are and returns all that comes back. */
async function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

test("a join gives a token for this address, and the same client for its identity", async (t) => {
  const front = await startFront(t);
  const first = await front.join({ room: "duel", userData: Buffer.from("Ada").toString("base64") });
  assert.equal(first.status, 200);
  assert.equal(Buffer.from(first.body.token ?? "", "base64").length, 2048);
  assert.equal(first.body.room, "duel");
  assert.equal(first.body.websocket, `ws://127.0.0.1:${front.port}/riposte`);
  assert.equal(first.body.udp, `127.0.0.1:${front.port}`);
  assert.equal(front.grants[0]?.localAddress, "127.0.0.1");
  assert.equal(Buffer.from(front.grants[0]?.userData ?? []).toString(), "Ada");
  assert.equal(front.grants[0]?.clientId.toString(), first.body.clientId);

  const again = await front.join({ identity: first.body.identity });
  assert.equal(again.body.clientId, first.body.clientId);
  const stranger = await front.join("");
  assert.notEqual(stranger.body.clientId, first.body.clientId);
  const forged = await front.join({
    identity: first.body.identity?.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
  });
  assert.equal(forged.status, 200);
  assert.notEqual(forged.body.clientId, first.body.clientId);
});

test("a join that cannot be granted says why", async (t) => {
  const front = await startFront(t);
  const cases: [unknown, number, string][] = [
    [{ room: "nowhere" }, 404, "unknownRoom"],
    [{ room: "full" }, 503, "serverFull"],
    [{ schema: "ffffffffffffffff" }, 409, "schemaMismatch"],
    [{ room: 7 }, 400, "badRequest"],
    [{ room: "../../etc/passwd" }, 400, "badRequest"],
    [{ room: "a\u0000b" }, 400, "badRequest"],
    [{ room: "é".repeat(17) }, 400, "badRequest"],
    [{ room: "\ud800" }, 400, "badRequest"],
    [{ room: { toString: "x" } }, 400, "badRequest"],
    [{ userData: "*" }, 400, "badRequest"],
    [{ userData: Buffer.alloc(193).toString("base64") }, 400, "badRequest"],
    [{ identity: [] }, 400, "badRequest"],
    ["[]", 400, "badRequest"],
    ["null", 400, "badRequest"],
    ["{", 400, "badRequest"],
    ["x".repeat(5000), 413, "badRequest"],
  ];
  for (const [body, status, code] of cases) {
    const reply = await front.join(body);
    assert.deepEqual([reply.status, reply.body.code], [status, code], JSON.stringify(body));
    assert.ok((reply.body.error ?? "").length > 10);
  }
  assert.equal(front.grants.length, 0);
  assert.deepEqual(front.errors, []);
  assert.equal((await front.join({ schema: "0102030405060708" })).status, 200);
});

test("joins are limited by address", async (t) => {
  const front = await startFront(t, { joinRate: { burst: 3, perSec: 0.001 } });
  const statuses = [];
  for (let i = 0; i < 5; i++) statuses.push((await front.join({})).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  assert.equal((await fetch(front.url("/riposte/health"))).status, 200);
});

async function joinAll(front: Front, forwarded: readonly string[]): Promise<number[]> {
  const all: number[] = [];
  for (const name of forwarded) all.push((await front.join({}, { "X-Forwarded-For": name })).status);
  return all;
}

test("behind a proxy joins are limited by the address it names, and by nothing that a client claims", async (t) => {
  const joinRate = { burst: 2, perSec: 0.001 };
  const proxied = await startFront(t, { joinRate, behindProxy: true });
  const claims = ["1.1.1.1, 10.0.0.1", "2.2.2.2, 10.0.0.1", "3.3.3.3,10.0.0.1", "10.0.0.2", "2001:db8::1", "junk"];
  assert.deepEqual(await joinAll(proxied, claims), [200, 200, 429, 200, 200, 200]);
  const direct = await startFront(t, { joinRate });
  assert.deepEqual(await joinAll(direct, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]), [200, 200, 429]);
});

test("pages of allowed origins may join, others may not read the answer", async (t) => {
  const open = await startFront(t);
  const preflight = await fetch(open.url("/riposte/join"), {
    method: "OPTIONS",
    headers: { Origin: "http://game.test" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /content-type/i);

  const strict = await startFront(t, { allowedOrigins: ["https://game.test"] });
  const post = (origin: string): Promise<Response> =>
    fetch(strict.url("/riposte/join"), { method: "POST", headers: { Origin: origin } });
  assert.equal((await post("https://game.test")).headers.get("access-control-allow-origin"), "https://game.test");
  assert.equal((await post("https://evil.test")).headers.get("access-control-allow-origin"), null);
});

test("health, methods, unknown paths and a server without token service", async (t) => {
  const front = await startFront(t, { joinService: undefined });
  assert.deepEqual(await (await fetch(front.url("/riposte/health"))).json(), { status: "ok" });
  assert.equal((await fetch(front.url("/riposte/health"), { method: "DELETE" })).status, 405);
  assert.equal((await fetch(front.url("/riposte/join"))).status, 405);
  assert.equal((await fetch(front.url("/riposte"))).status, 426);
  assert.equal((await fetch(front.url("/"))).status, 404);
  assert.deepEqual((await front.join({})).body.code, "noTokenService");
});

test("files are served from the public folder and from nowhere else", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "riposte-http-"));
  t.after(() => rm(root, { recursive: true }));
  const publicDir = join(root, "dist");
  await mkdir(publicDir);
  await writeFile(join(publicDir, "index.html"), "<h1>game</h1>");
  await writeFile(join(root, "secret.txt"), "secret");
  await writeFile(join(publicDir, ".env"), "secret");
  for (const production of [false, true]) {
    const front = await startFront(t, { publicDir, production });
    const page = await fetch(front.url("/?room=duel"));
    assert.equal(await page.text(), "<h1>game</h1>");
    assert.match(page.headers.get("content-type") ?? "", /text\/html/);
    for (const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/..%5csecret.txt",
      "/.env",
      "/%2eenv",
      "/%00",
      "/%ff",
    ]) {
      const answer = await raw(front.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 4\d\d/, path);
      assert.ok(!answer.includes("secret"), path);
    }
    assert.equal((await fetch(front.url("/"), { method: "POST" })).status, 405);
    assert.deepEqual(front.errors, []);
  }
});

test("pages that are built after the start are served in development, and until then it says what to do", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "riposte-http-"));
  t.after(() => rm(root, { recursive: true }));
  const publicDir = join(root, "dist");
  const front = await startFront(t, { publicDir });
  const missing = await fetch(front.url("/"));
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /no folder "dist".*vite build/s);
  await mkdir(publicDir);
  await writeFile(join(publicDir, "index.html"), "built");
  assert.equal(await (await fetch(front.url("/"))).text(), "built");
});

test("a file that vanishes, or a reader that does, harms nobody and leaves no file open", async (t) => {
  const publicDir = await mkdtemp(join(tmpdir(), "riposte-http-"));
  t.after(() => rm(publicDir, { recursive: true }));
  await writeFile(join(publicDir, "old.js"), "old");
  await writeFile(join(publicDir, "large.js"), Buffer.alloc(8 << 20, "x"));
  // In production the list of files is read once: a new build removes files that are still on it.
  const front = await startFront(t, { publicDir, production: true });
  await rm(join(publicDir, "old.js"));
  const answer = await raw(front.port, "GET /old.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.ok(!answer.includes("\r\n\r\nold"), answer);
  const before = await openFiles();
  for (let i = 0; i < 20; i++) {
    const socket = connect(front.port, "127.0.0.1");
    socket.write("GET /large.js HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    socket.destroy();
  }
  const deadline = performance.now() + 5000;
  while ((await openFiles()) > before + 2 && performance.now() < deadline) await new Promise(setImmediate);
  assert.ok((await openFiles()) <= before + 2, `${(await openFiles()) - before} files stayed open`);
  assert.equal((await front.join({})).status, 200);
  assert.deepEqual(front.errors, []);
});

test("one address cannot take all sockets, and a socket that says nothing is closed in time", async (t) => {
  const front = await startFront(t, { maxSocketsPerAddress: 8, headersTimeoutMs: 200 });
  const open = new Set(Array.from({ length: 12 }, () => connect(front.port, "127.0.0.1")));
  for (const socket of open) {
    socket.on("error", () => undefined).resume();
    socket.on("close", () => open.delete(socket));
  }
  const atMost = async (count: number): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while (open.size > count && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(open.size <= count, `${open.size} of 12 are open`);
  };
  await atMost(8);
  await atMost(0);
  let joined = false;
  // The server may see its ends of them close a moment later.
  for (let i = 0; i < 100 && !joined; i++) {
    joined = await front.join({}).then(
      ({ status }) => status === 200,
      () => false,
    );
  }
  assert.ok(joined);
});

test("garbage gets a status or a closed socket, and the server goes on", async (t) => {
  const front = await startFront(t);
  const hostile: (string | Buffer)[] = [
    "\r\n\r\n\r\n\u0000\u0001garbage\r\n\r\n",
    Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 197) & 0xff)),
    "GET http://[::bad HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "GET //riposte/join HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
    "POST /riposte/join HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{",
    `POST /riposte/join HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n${"z".repeat(8192)}\r\n`,
    "POST /riposte/join HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
    "POST /riposte/join HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  ];
  for (const bytes of hostile) {
    const answer = await raw(front.port, bytes);
    assert.match(answer, /^(?:HTTP\/1\.1 4\d\d|$)/, bytes.toString("latin1").slice(0, 60));
  }
  // A host header that is no host does not get into the answer.
  const body = await raw(
    front.port,
    'POST /riposte/join HTTP/1.1\r\nHost: evil"/<script>\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  );
  assert.match(body, /^HTTP\/1\.1 200/);
  assert.ok(body.includes(`ws://127.0.0.1:${front.port}/riposte`));
  assert.equal((await front.join({})).status, 200);
  assert.deepEqual(front.errors, []);
});
