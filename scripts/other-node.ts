// Runs the datapath's tests on another Node, with the addon that is built already: one binary serves every Node from
// 24 on; and the tests of the deterministic mathematics, which every engine must pass to the bit. `node scripts/other-node.ts 24` installs that Node from the registry into a temporary folder.
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const version = process.argv[2] ?? "24";
const folder = mkdtempSync(join(tmpdir(), "riposte-node-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  const options = ["--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", ["install", ...options, `node@${version}`], { cwd: folder, stdio: "inherit" });
  const node = join(folder, "node_modules", ".bin", "node");
  const found = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  if (!found.startsWith(`v${version}.`)) throw new Error(`asked for Node ${version}, got ${found}`);
  console.log(`the tests of the datapath and of determinism on Node ${found}`);
  // The sanitizers' run is about the addon alone, whatever Node is around it.
  const patterns = [
    "packages/datapath/{src,test}/**/*.test.ts",
    "packages/simulation/src/{math,determinism}/*.test.ts",
  ];
  const files = globSync(patterns, { cwd: root })
    .filter((file) => !file.includes("sanitized"))
    .sort();
  const { status } = spawnSync(node, ["--test", "--test-concurrency=2", "--test-reporter=dot", ...files], {
    cwd: root,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
