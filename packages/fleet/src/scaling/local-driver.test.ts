import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../test/until.ts";
import { LocalDriver } from "./local-driver.ts";
import type { LocalDriverOptions } from "./local-driver.ts";

const NEVER = new AbortController().signal;

/** Runs a line of JavaScript as a process. */
function create(script: string, more: Partial<LocalDriverOptions> = {}): { driver: LocalDriver; log: string[] } {
  const log: string[] = [];
  const options = { command: process.execPath, args: ["-e", script], log: (line: string) => void log.push(line) };
  return { driver: new LocalDriver({ ...options, ...more }), log };
}

const STAYS = "setInterval(() => {}, 1000);";

describe("LocalDriver", () => {
  it("starts a process with its id, region and port, and says what it says", async () => {
    const { driver, log } = create(
      `console.log(process.argv.slice(1).join(" "), process.env.RIPOSTE_PORT, process.env.WHERE); console.error("oh");${STAYS}`,
      { ports: { from: 4000, to: 4001 }, env: { WHERE: "in {region} as {id}" } },
    );
    await using _closes = driver;
    const id = await driver.start("eu", NEVER);
    assert.match(id, /^eu-[0-9a-f]{8}$/);
    await until(() => log.some((line) => line.includes("oh")) && log.length >= 3);
    assert.ok(log.includes(`[${id}]  4000 in eu as ${id}`), log.join("\n"));
    assert.ok(log.includes(`[${id}] oh`));
    assert.ok(driver.owns(id) && !driver.owns("eu-1"));
    assert.equal(await driver.hasEnded(id), false);
    await driver.start("eu", NEVER);
    await assert.rejects(driver.start("eu", NEVER), /all ports from 4000 to 4001 are in use/);
  });

  it("fills in arguments", async () => {
    const { driver, log } = create("", { args: ["-p", '"{region} {id} {port}"'], ports: { from: 4100, to: 4100 } });
    await using _closes = driver;
    const id = await driver.start("us.west", NEVER);
    await until(() => log.some((line) => line === `[${id}] us.west ${id} 4100`));
    await until(async () => driver.hasEnded(id));
    assert.ok(log.includes(`[${id}] has ended: code 0`));
    assert.ok(driver.owns(id), "still known as its own");
    await driver.start("eu", NEVER);
  });

  it("stops by SIGTERM, and by SIGKILL who does not hear it", async () => {
    const { driver, log } = create(`process.on("SIGTERM", () => console.log("no")); console.log("on"); ${STAYS}`, {
      graceMs: 200,
    });
    await using _closes = driver;
    const id = await driver.start("eu", NEVER);
    await until(() => log.includes(`[${id}] on`));
    await driver.stop(id);
    assert.deepEqual(log.slice(-2), [`[${id}] no`, `[${id}] has ended: SIGKILL`]);
    await driver.stop(id);
    assert.equal(driver.size, 0);
  });

  it("rejects what cannot be started", async () => {
    const none = create("", { command: "/nowhere/at-all" });
    await assert.rejects(none.driver.start("eu", NEVER), /ENOENT/);
    assert.equal(none.driver.size, 0);
    await assert.rejects(none.driver.start("e u", NEVER), /region "e u" cannot be part of a node's id/);
    await assert.rejects(none.driver.start("eu", AbortSignal.abort(new Error("given up"))), /given up/);
    const few = create(STAYS, { maxProcesses: 1 });
    await few.driver.start("eu", NEVER);
    await assert.rejects(few.driver.start("eu", NEVER), /1 processes run, which is maxProcesses/);
    await few.driver[Symbol.asyncDispose]();
    assert.equal(few.driver.size, 0);
    await assert.rejects(few.driver.start("eu", NEVER), /closed/);
    assert.throws(() => create("", { ports: { from: 9, to: 8 } }), RangeError);
    assert.throws(() => create("", { maxProcesses: 0 }), RangeError);
  });

  it("bounds what a process may say", async () => {
    const { driver, log } = create(
      `for (let i = 0; i < 5000; i++) console.log(i); console.log("x".repeat(100000)); console.error("y".repeat(9000)); ${STAYS}`,
    );
    await using _closes = driver;
    await driver.start("eu", NEVER);
    await until(() => log.length > 100);
    await driver[Symbol.asyncDispose]();
    assert.ok(log.length < 300, `${log.length}`);
    assert.ok(log.some((line) => /\(\d+ lines left out\)/.test(line)));
    assert.ok(log.every((line) => line.length < 4200));
  });
});
