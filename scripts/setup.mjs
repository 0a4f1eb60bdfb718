// The set-up behind `npm start` and `npm test`. Plain JavaScript without dependencies, because it
// runs on whatever Node the machine has (20 or newer), before anything is installed. It brings
// what is missing and then hands over to the repository's own Node.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPeer, peers } from "./peers.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".riposte-setup");
const node = join(root, "node_modules", ".bin", "node");

const [command, ...args] = process.argv.slice(2);
if (command === "start") {
  installPackages();
  buildAddon();
  await handOver([join(root, "apps/arena/src/start.ts"), ...args]);
} else if (command === "console") {
  installPackages();
  buildAddon();
  await handOver([join(root, "apps/console/src/demo.ts"), ...args]);
} else if (command === "test") {
  installPackages();
  buildAddon();
  installPeers();
  await handOver([join(root, "scripts/test.ts"), ...args]);
} else if (command === "install") {
  installPackages();
  buildAddon();
  installPeers();
} else {
  console.error("usage: node scripts/setup.mjs start|console|test|install [options]");
  process.exitCode = 2;
}

/** Runs `npm ci` when node_modules is missing or was made from another lockfile or manifest. */
function installPackages() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Node 20 or newer is needed to set up; this is ${process.version}.`);
  const wanted = manifestsHash();
  if (existsSync(node) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted) return;
  console.log("Installing dependencies (npm ci) ...");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: "inherit" });
  if (npm.error !== undefined) fail(`npm could not be started: ${npm.error.message}`);
  if (npm.status !== 0) fail("npm ci failed. After a change to a package.json run `npm install` first.");
  writeFileSync(stampFile, wanted);
}

/** Compiles the datapath's addon when its sources have changed; its own script knows. Without it everything works, slower. */
function buildAddon() {
  if (process.platform !== "linux") return;
  spawnSync(node, [join(root, "packages/datapath/install.mjs")], { cwd: root, stdio: "inherit" });
}

/** Of what npm installs from: the lockfile, and each manifest as far as it names dependencies. */
function manifestsHash() {
  const hash = createHash("sha256");
  const folders = ["packages", "apps"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
  );
  for (const folder of [root, join(root, "bench"), ...folders]) {
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) continue;
    const { name, workspaces, dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync(manifest, "utf8"),
    );
    hash.update(JSON.stringify({ name, workspaces, dependencies, devDependencies, optionalDependencies }));
  }
  return hash.update(readFileSync(join(root, "package-lock.json"))).digest("hex");
}

/** Installs the system programs that tests talk to, by apt when that is possible without asking. */
function installPeers() {
  const missing = peers.filter((peer) => findPeer(peer.name) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((peer) => peer.debianPackage))];
  const prefix = aptPrefix();
  if (prefix === undefined) {
    console.warn(
      `Missing for some tests: ${packages.join(", ")}. Install with: sudo apt-get install ${packages.join(" ")}`,
    );
    return;
  }
  console.log(`Installing ${packages.join(", ")} (apt-get) ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  /** @param {string[]} words */
  const apt = (...words) => {
    const [program, ...rest] = [...prefix, "apt-get", ...words];
    return spawnSync(program, rest, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
  };
  const installed = apt("update", "-qq") && apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
  if (!installed) console.warn(`apt-get failed. Install by hand: sudo apt-get install ${packages.join(" ")}`);
}

/** The words before `apt-get`, or undefined when there is no apt or no way to be root without a password. */
function aptPrefix() {
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status !== 0) return undefined;
  if (process.getuid?.() === 0) return [];
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? ["sudo", "-n"] : undefined;
}

/**
 * Runs a program on the repository's Node until it ends; signals go to it, its exit code comes from it.
 * @param {string[]} words
 */
async function handOver(words) {
  const child = spawn(node, words, { cwd: root, stdio: "inherit" });
  // Ctrl-C in a terminal reaches the child by itself. Passed on it would come twice, which ends programs without order.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !hasTerminal) child.kill(signal);
    });
  }
  const [code, signal] = await new Promise((resolve) => {
    child.on("exit", (...end) => resolve(end));
    child.on("error", (error) =>
      fail(`${node} could not be started: ${error.message}. Delete node_modules and try again.`),
    );
  });
  process.exitCode = code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exit(1);
}
