/** The addon's tests once more, with the addon compiled for AddressSanitizer and UndefinedBehaviorSanitizer. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { compile } from "../compile.mjs";
import { packageFolder, run, runNode, skipCompiled } from "./child.ts";

const TESTS = [
  "address-table",
  "native-fuzz",
  "native-lifetime",
  "native-socket",
  "packet-protection",
  "quic-protection",
  "udp-socket",
];

/** What `npm run soak` preloads, which makes properties run longer. */
const PRELOADS = process.execArgv.filter((word, i, all) => /^--import\b/.test(word) || all[i - 1] === "--import");
const LIMIT_MS = PRELOADS.length > 0 ? 3_600_000 : 225_000;

describe("the addon under sanitizers", { skip: skipCompiled }, () => {
  const folder = mkdtempSync(join(tmpdir(), "riposte-sanitized-"));
  const env: Record<string, string> = {
    // node-gyp-build looks there for the addon instead.
    "@RIPOSTE/DATAPATH_PREBUILD": folder,
    RIPOSTE_SANITIZED: "1",
    // Node and V8 keep what they have when the process ends.
    ASAN_OPTIONS: "detect_leaks=0:abort_on_error=1",
    UBSAN_OPTIONS: "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
  };

  before(
    async () => {
      for (const name of ["native", "binding.gyp", "package.json"])
        cpSync(join(packageFolder, name), join(folder, name), { recursive: true });
      assert.equal(compile(folder, { sanitize: 1, warnings_as_errors: 1 }), undefined);
      const libraries: string[] = [];
      for (const library of ["libasan.so", "libubsan.so"]) {
        const found = await run("c++", [`-print-file-name=${library}`], process.env, 10_000);
        libraries.push(found.output.trim());
      }
      env.LD_PRELOAD = libraries.join(":");
    },
    { timeout: 200_000 },
  );
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is what runs", async () => {
    const program = `
      const { loadAddon } = await import(${JSON.stringify(join(packageFolder, "src/native/addon.ts"))});
      loadAddon();
      const { readFileSync } = await import("node:fs");
      console.log(readFileSync("/proc/self/maps", "utf8").match(/\\S+(?:riposte_datapath\\.node|libasan\\S*)$/gm).join());
    `;
    const { status, output } = await runNode(["--input-type=module", "--eval", program], env);
    assert.equal(status, 0, output);
    assert.ok(output.includes("libasan") && output.includes(folder) && !output.includes(packageFolder), output);
  });

  it("finds a write beyond a buffer", async () => {
    // A test of the test: the sanitizer sees what native code does to memory that V8 has allocated.
    const program = `
      const { loadAddon } = await import(${JSON.stringify(join(packageFolder, "src/native/addon.ts"))});
      const addon = loadAddon();
      addon.overrun(new Uint8Array(4096));
    `;
    const { status, output } = await runNode(["--input-type=module", "--eval", program], env);
    assert.notEqual(status, 0);
    assert.match(output, /AddressSanitizer: heap-buffer-overflow/);
  });

  it(`passes ${TESTS.join(", ")}`, { timeout: LIMIT_MS + 5000 }, async () => {
    const files = TESTS.map((name) => join(packageFolder, "test", `${name}.test.ts`));
    const options = ["--test", "--test-concurrency=2", `--test-timeout=${LIMIT_MS - 5000}`];
    const result = await runNode([...PRELOADS, ...options, ...files], env, LIMIT_MS);
    assert.equal(result.status, 0, result.output);
    assert.doesNotMatch(result.output, /ERROR: AddressSanitizer|runtime error:/);
    assert.match(result.output, /^ℹ pass [1-9]\d+$/m);
    assert.match(result.output, /^ℹ skipped 0$/m);
  });
});
