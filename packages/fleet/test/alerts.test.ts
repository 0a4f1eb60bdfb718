/** The files for Prometheus, as Prometheus' own tool sees them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { peerOrSkip } from "../../../scripts/peers.mjs";

const run = promisify(execFile);
const deploy = fileURLToPath(new URL("../../../deploy/prometheus/", import.meta.url));
const promtool = peerOrSkip("promtool");

describe("deploy/prometheus", { skip: promtool.skip }, () => {
  let folder = "";

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "riposte-prometheus-"));
    cpSync(deploy, folder, { recursive: true });
    writeFileSync(join(folder, "riposte-fleet.token"), "token");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is a configuration that Prometheus takes, with its rules", { timeout: 60_000 }, async () => {
    const { stdout } = await run(promtool.path, ["check", "config", join(folder, "prometheus.yml")]);
    assert.match(stdout, /16 rules found/);
  });

  it("has alerts that fire when they should, and not else", { timeout: 60_000 }, async () => {
    const { stdout } = await run(promtool.path, ["test", "rules", join(folder, "alerts.test.yml")]);
    assert.match(stdout, /SUCCESS/);
  });
});
