import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { NetworkError } from "@riposte/protocol";
import * as fc from "fast-check";
import { requestToken, websocketUrl } from "./join.ts";
import type { JoinGrant } from "./join.ts";

/** Asks a server that answers just so; `asked` gets the request's body. */
async function joinAt(
  t: TestContext,
  status: number,
  answer: string,
  asked: Record<string, unknown> = {},
): Promise<JoinGrant> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      Object.assign(asked, JSON.parse(Buffer.concat(chunks).toString()), { path: request.url });
      response.writeHead(status, { "Content-Type": "application/json" }).end(answer);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return requestToken({
    url: new URL(`http://127.0.0.1:${port}/game/index.html?x#y`),
    room: "duel",
    identity: "me",
    userData: Uint8Array.of(1, 2, 255),
    schemaHash: Uint8Array.of(0, 15, 16, 255, 1, 2, 3, 4),
    signal: undefined,
  });
}

const grant = {
  token: Buffer.alloc(2048, 9).toString("base64"),
  clientId: "18446744073709551615",
  identity: "again",
  websocket: "ws://10.0.0.1:7777/riposte",
};

test("asks beside the page's own origin and reads the grant", async (t) => {
  const asked: Record<string, unknown> = {};
  const granted = await joinAt(t, 200, JSON.stringify(grant), asked);
  assert.deepEqual(asked, {
    path: "/riposte/join",
    room: "duel",
    identity: "me",
    userData: "AQL/",
    schema: "000f10ff01020304",
  });
  assert.equal(granted.token.length, 2048);
  assert.equal(granted.clientId, 2n ** 64n - 1n);
  assert.equal(granted.websocket, "ws://10.0.0.1:7777/riposte");
});

function refuse(code: string): string {
  return JSON.stringify({ code, error: `because ${code}` });
}

function url(page: string, said?: unknown): string {
  return websocketUrl(new URL(page), said).href;
}

test("a refusal keeps its sentence and gets the right code", async (t) => {
  await assert.rejects(joinAt(t, 409, refuse("schemaMismatch")), { code: "schemaMismatch", message: /because schema/ });
  await assert.rejects(joinAt(t, 503, refuse("serverFull")), { code: "serverFull", message: /because serverFull/ });
  await assert.rejects(joinAt(t, 404, refuse("unknownRoom")), { code: "denied", message: /because unknownRoom/ });
});

test("whatever else answers is named for what it is", async (t) => {
  const answers: [number, string][] = [
    [200, "<html>"],
    [200, "null"],
    [200, "{}"],
    [200, JSON.stringify({ ...grant, token: "AAAA" })],
    [200, JSON.stringify({ ...grant, token: "%%%" })],
    [200, JSON.stringify({ ...grant, clientId: "1e9" })],
    [200, JSON.stringify({ ...grant, clientId: "18446744073709551616" })],
    [200, JSON.stringify({ ...grant, identity: 7 })],
    [404, "Not found"],
    [502, "{}"],
  ];
  for (const [status, body] of answers) {
    await assert.rejects(joinAt(t, status, body), { code: "denied", message: /not as a Riposte server/ }, body);
  }
});

test("a server that does not answer is given up, and so is one that nobody waits for any more", async (t) => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const reason = new Error("enough");
  const ask = (signal: AbortSignal | undefined): Promise<JoinGrant> =>
    requestToken({
      url: new URL(`http://127.0.0.1:${port}`),
      room: "",
      identity: undefined,
      userData: undefined,
      schemaHash: new Uint8Array(8),
      signal,
      timeoutMs: 50,
    });
  await assert.rejects(ask(undefined), { code: "timedOut", message: /does not answer/ });
  const controller = new AbortController();
  const asking = ask(controller.signal);
  controller.abort(reason);
  await assert.rejects(asking, reason);
});

test("the WebSocket is secure when the page is, and beside the page when nothing is said", () => {
  assert.equal(url("http://a.test:7777/x", "ws://b.test:1/riposte"), "ws://b.test:1/riposte");
  assert.equal(url("https://a.test/x", "ws://a.test/riposte"), "wss://a.test/riposte");
  assert.equal(url("http://a.test/x", "wss://b.test/riposte"), "wss://b.test/riposte");
  assert.equal(url("https://a.test/game/x.html"), "wss://a.test/riposte");
  assert.equal(url("http://a.test:7777", 5), "ws://a.test:7777/riposte");
  assert.equal(url("http://a.test:7777", "http://["), "ws://a.test:7777/riposte");
  assert.equal(url("http://a.test:7777", "javascript:alert(1)"), "ws://a.test:7777/riposte");
  assert.equal(url("http://a.test", "http://b.test/game#top"), "ws://b.test/game");
});

/** Any UTF-16 at all. */
const anyText = fc
  .array(fc.oneof(fc.nat(127), fc.nat(0xffff)), { maxLength: 30 })
  .map((codes) => String.fromCharCode(...codes));
const anything = fc.oneof(fc.jsonValue({ maxDepth: 1 }), anyText);
/** Parts of an answer: what they should be, nearly that, or anything. */
const answers = fc.record(
  {
    token: fc.oneof(fc.constant(grant.token), fc.stringMatching(/^[A-Za-z0-9+/]{0,40}={0,2}$/), anything),
    clientId: fc.oneof(fc.constant(grant.clientId), fc.stringMatching(/^-?\d{1,22}$/), anything),
    identity: fc.oneof(fc.constant(grant.identity), anyText, anything),
    websocket: fc.oneof(fc.constant(grant.websocket), fc.webUrl(), anything),
    code: fc.oneof(fc.constantFrom("schemaMismatch", "serverFull", "unknownRoom", "toString"), anything),
    error: fc.oneof(anyText, anything),
  },
  { requiredKeys: [] },
);
const bodies = fc.oneof(
  answers.map((answer) => Buffer.from(JSON.stringify(answer))),
  answers.map((answer) => Buffer.from(JSON.stringify({ ...grant, ...answer }))),
  fc.json().map((json) => Buffer.from(json)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

test("whatever answers, a join gives a whole grant or a `NetworkError`", async (t) => {
  let answer = new Response();
  t.mock.method(globalThis, "fetch", () => Promise.resolve(answer));
  let granted = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(200, 200, 400, 404, 409, 500, 503), bodies, async (status, body) => {
      answer = new Response(new Uint8Array(body), { status });
      const outcome = await requestToken({
        url: new URL("https://game.test/"),
        room: "",
        identity: undefined,
        userData: undefined,
        schemaHash: new Uint8Array(8),
        signal: undefined,
      }).catch((error: unknown) => error);
      if (outcome instanceof NetworkError) {
        assert.ok(["denied", "schemaMismatch", "serverFull"].includes(outcome.code), outcome.code);
        return;
      }
      assert.ok(!(outcome instanceof Error), String(outcome));
      granted++;
      const { token, clientId, identity, websocket } = outcome as JoinGrant;
      assert.equal(status, 200);
      assert.equal(token.length, 2048);
      assert.ok(clientId >= 0n && clientId < 2n ** 64n, `client id ${clientId}`);
      assert.equal(typeof identity, "string");
      assert.match(websocket, /^wss:\/\/[^#]*$/);
    }),
    { seed: 71, numRuns: 1500 },
  );
  assert.ok(granted > 20, `${granted} grants`);
});

test("wherever the server says its WebSocket is, the address is one that can be opened from the page", () => {
  const pages = fc.constantFrom("http://a.test/x", "https://a.test:444/x#y", "http://[::1]:7777");
  const said = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    anything,
    fc.constantFrom("file:///etc/x", "blob:http://a/b", "//b.test", "?x", ""),
  );
  fc.assert(
    fc.property(pages, said, (page, name) => {
      const target = websocketUrl(new URL(page), name);
      assert.match(target.protocol, page.startsWith("https:") ? /^wss:$/ : /^wss?:$/);
      assert.equal(target.hash, "");
      assert.notEqual(target.hostname, "");
    }),
    { seed: 72, numRuns: 2000 },
  );
});
