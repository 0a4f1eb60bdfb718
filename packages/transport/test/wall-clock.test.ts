/** A server's wall clock may be set while it runs: it is read again every ten seconds, and decides which tokens have expired. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { dialUdp } from "../src/index.ts";
import { SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";

afterEach(closeAll);

const TOLD_EVERY_MS = 10_000;

test("a clock that was an hour ahead refuses tokens until it is set right", async (t) => {
  const toldAgain: (() => void)[] = [];
  const { setInterval } = globalThis;
  t.mock.method(globalThis, "setInterval", (callback: () => void, ms: number) => {
    if (ms === TOLD_EVERY_MS) toldAgain.push(callback);
    return setInterval(callback, ms);
  });
  const { now } = Date;
  const ahead = t.mock.method(Date, "now", () => now() + 3_600_000);
  const { server } = await serve();
  ahead.mock.restore();
  assert.equal(toldAgain.length, 1);
  const dialing = dialUdp({ token: tokenFor(server.port, 1, 30), schemaHash: SCHEMA, handlers: {} });
  await until(() => server.stats.drops.tokenExpired >= 2, "refused as expired");
  toldAgain[0]();
  const client = await dialing;
  assert.equal(client.connection.state, "open");
  await client.close();
});
