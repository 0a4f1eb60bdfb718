// The long part of the property tests: every fast-check property runs SOAK_FACTOR (default 20) times
// as often as in CI, from a fresh seed (tests see SOAK=true); those of the datapath's addon under the sanitizers too, and
// those that take longer when they see SOAK, live ones one at a time. Words narrow the selection: `npm run soak -- netcode`.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const words = process.argv.slice(2);
const files = globSync("packages/*/{src,test}/**/*.test.ts", { cwd: root })
  .filter((file) => words.every((word) => file.includes(word)))
  .filter(
    (file) =>
      file.includes("sanitized") || /"fast-check"|env\.SOAK|isLong/.test(readFileSync(join(root, file), "utf8")),
  )
  .sort();
const alone = files.filter((file) => file.endsWith(".live.test.ts"));
run(
  files.filter((file) => !alone.includes(file)),
  2,
);
run(alone, 1);

function run(selection: readonly string[], concurrency: number): void {
  if (selection.length === 0) return;
  const preload = join(root, "scripts", "soak-preload.mjs");
  const options = ["--import", preload, "--test", `--test-concurrency=${concurrency}`];
  const env = { ...process.env, SOAK: "true" };
  const { status } = spawnSync(process.execPath, [...options, ...selection], { cwd: root, stdio: "inherit", env });
  if (status !== 0) process.exitCode = status ?? 1;
}
