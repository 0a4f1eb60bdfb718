// The long part of the property tests: every fast-check property runs SOAK_FACTOR (default 20) times
// as often as in CI, from a fresh seed (tests see SOAK=true); those of the datapath's addon under the sanitizers too. Words narrow the selection: `npm run soak -- netcode`.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const words = process.argv.slice(2);
const files = globSync("packages/*/{src,test}/**/*.test.ts", { cwd: root })
  .filter((file) => words.every((word) => file.includes(word)))
  .filter((file) => readFileSync(join(root, file), "utf8").includes('"fast-check"') || file.includes("sanitized"))
  .sort();
const preload = join(root, "scripts", "soak-preload.mjs");
const options = ["--import", preload, "--test", "--test-concurrency=2"];
const env = { ...process.env, SOAK: "true" };
const { status } = spawnSync(process.execPath, [...options, ...files], { cwd: root, stdio: "inherit", env });
process.exitCode = status ?? 1;
