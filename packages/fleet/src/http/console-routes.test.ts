import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fastify } from "fastify";
import { answerErrors } from "./api-error.ts";
import { addConsoleRoutes, readConsole } from "./console-routes.ts";

describe("the console's files", () => {
  let folder = "";
  const app = fastify();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "riposte-console-"));
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), "<!doctype html>");
    await writeFile(join(folder, "assets", "main-1.js"), "1;");
    await writeFile(join(folder, "notes.txt"), "not for anybody");
    answerErrors(app, () => undefined);
    addConsoleRoutes(app, await readConsole(folder));
  });
  after(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });

  it("are served under a strict policy", async () => {
    const page = await app.inject("/console/");
    assert.deepEqual([page.statusCode, page.body], [200, "<!doctype html>"]);
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.equal(page.headers["cache-control"], "no-cache");
    const policy = String(page.headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    const script = await app.inject("/console/assets/main-1.js");
    assert.equal(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert.match(String(script.headers["cache-control"]), /immutable/);
  });

  it("are not sent twice to who has them", async () => {
    const { etag } = (await app.inject("/console/")).headers;
    const again = await app.inject({ url: "/console/", headers: { "if-none-match": String(etag) } });
    assert.deepEqual([again.statusCode, again.body], [304, ""]);
  });

  it("are all there is", async () => {
    assert.equal((await app.inject("/console")).headers.location, "console/");
    for (const path of ["notes.txt", "..%2fpackage.json", "../package.json", "assets/", "nothing"]) {
      const { statusCode } = await app.inject(`/console/${path}`);
      assert.equal(statusCode, 404, path);
    }
  });

  it("say how to build them where they are not", async () => {
    await using bare = fastify();
    answerErrors(bare, () => undefined);
    addConsoleRoutes(bare, await readConsole(join(folder, "nowhere")));
    const reply = await bare.inject("/console/");
    assert.equal(reply.statusCode, 404);
    assert.match(reply.body, /console:build/);
  });
});
