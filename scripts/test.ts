// Runs every test: units and behaviour first, two files at a time; then, one at a time, the tests
// that measure time or drive a browser (*.live.test.ts, *.browser.test.ts). Words given on the
// command line are file name parts that narrow the selection: `npm test -- netcode`.
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const countsFolder = join(root, "build");
const patterns = ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts"];
patterns.push("apps/*/{src,client}/**/*.test.ts", "bench/**/*.test.ts", "interop/**/*.test.ts", "fuzz/**/*.test.ts");
patterns.push("scripts/**/*.test.ts", "docs/**/*.test.ts");

const words = process.argv.slice(2);
const files = globSync(patterns, { cwd: root, exclude: ["**/node_modules/**"] })
  .filter((file) => words.every((word) => file.includes(word)))
  .sort();
const alone = files.filter((file) => /\.(live|browser)\.test\.ts$/.test(file));
const together = files.filter((file) => !alone.includes(file));

mkdirSync(countsFolder, { recursive: true });
const total = { passed: 0, failed: 0, skipped: 0 };
run(together, 2);
run(alone, 1);
if (files.length === 0) console.error(`no test file matches: ${words.join(" ")}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;

function run(selection: readonly string[], concurrency: number): void {
  if (selection.length === 0) return;
  const countsFile = join(countsFolder, "test-counts.json");
  rmSync(countsFile, { force: true });
  const reporters = ["--test-reporter=spec", "--test-reporter-destination=stdout"];
  reporters.push(
    `--test-reporter=${join(root, "scripts/count-reporter.ts")}`,
    `--test-reporter-destination=${countsFile}`,
  );
  const options = ["--test", `--test-concurrency=${concurrency}`, "--test-timeout=240000", ...reporters];
  const { status } = spawnSync(process.execPath, [...options, ...selection], { cwd: root, stdio: "inherit" });
  const counts = readCounts(countsFile);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  if (status !== 0 && counts.failed === 0) total.failed++;
}

function readCounts(file: string): { passed: number; failed: number; skipped: number } {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as { passed: number; failed: number; skipped: number };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
