/**
 * The HAProxy configuration that is shipped, with other ports, in front of two balancers: players ask one address, and a
 * balancer that drains, or is killed, costs nobody more than a retry.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import { until } from "../../fleet/test/until.ts";
import { freePort } from "./fleet/balancer-process.ts";
import { Child } from "./fleet/child.ts";
import { LocalFleet, shows, sleep } from "./fleet/local-fleet.ts";

const { path: haproxy, skip } = peerOrSkip("haproxy");
const SHIPPED = new URL("../../../deploy/haproxy/haproxy.cfg", import.meta.url).pathname;
const CALM_MS = 1500;
const ANSWERED_WITHIN_MS = 1000;

describe("HAProxy in front of two balancers", { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), "riposte-haproxy-"));
  let fleet: LocalFleet;
  let proxy: Child;
  let url: string;

  before(async () => {
    fleet = await LocalFleet.start({ balancers: 2, balancer: () => ({ args: ["--behind-proxy"] }) });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    let config = readFileSync(SHIPPED, "utf8").replace("bind :7880", `bind 127.0.0.1:${port}`);
    for (const [i, address] of ["10.0.0.11:7800", "10.0.0.12:7800"].entries())
      config = config.replace(address, `127.0.0.1:${fleet.balancers[i].port}`);
    const file = join(directory, "haproxy.cfg");
    writeFileSync(file, config);
    proxy = new Child(haproxy, ["-db", "-f", file], ["ignore", "ignore", "inherit"]);
    await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200);
  });
  after(async () => {
    await proxy?.kill();
    await fleet?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  it("takes the configuration as it is shipped, without a warning", () => {
    const said = execFileSync(haproxy, ["-c", "-V", "-f", SHIPPED], { encoding: "utf8", stdio: "pipe" });
    assert.match(said, /valid/);
    assert.doesNotMatch(said, /WARNING/);
  });

  it("lets players in only where they belong, by their own addresses", async () => {
    assert.equal((await fetch(`${url}/v1/nodes`)).status, 404);
    assert.equal((await fetch(`${url}/metrics`)).status, 404);
    const headers = { "x-forwarded-for": "203.0.113.7" };
    assert.equal((await fetch(`${url}/v1/ping`, { headers })).status, 204);
    const authorization = fleet.operator("fleet:read");
    const refused = await fetch(`${fleet.balancers[0].url}/v1/nodes`, { headers: { authorization } });
    assert.equal(refused.status, 200);
  });

  for (const fault of ["is drained", "is killed"] as const)
    it(`a balancer ${fault}: nobody fails beyond a retry`, (t) =>
      shows(
        t,
        async () => {
          const players = fleet.players({ balancers: [{ url }], attemptMs: 1000 });
          players.start();
          await sleep(CALM_MS);
          const [first] = fleet.balancers;
          if (fault === "is drained") await first.end();
          else await first.kill();
          await sleep(CALM_MS);
          await fleet.restartBalancer(0);
          await sleep(CALM_MS);
          await players.finish();
          return players;
        },
        async (players) => {
          await fleet.checkAll(players);
          assert.deepEqual(
            players.stories.flatMap(({ turnedAway }) => turnedAway),
            [],
          );
          const attempts = Math.max(...players.stories.map(({ attempts: each }) => each));
          assert.ok(attempts <= 2, `somebody asked ${attempts} times`);
          const longest = players.answerTimes().at(-1)!;
          assert.ok(longest < ANSWERED_WITHIN_MS, `somebody waited for ${longest.toFixed(0)} ms`);
        },
      ));
});
