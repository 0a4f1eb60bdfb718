// Installs the native half: a prebuild where the package carries one for this platform, else compiled here
// by node-gyp. Where neither works the package is installed all the same, and openDatapath() takes
// node:dgram and node:crypto. Plain JavaScript for Node 20 and newer, because npm runs it before anything
// is set up; the repository's own set-up runs it again, and nothing happens unless the sources have changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const folder = dirname(fileURLToPath(import.meta.url));
const stampFile = join(folder, "build", "riposte-stamp");
const built = join(folder, "build", "Release", "riposte_datapath.node");

const problem = install();
if (problem !== undefined) console.log(`@riposte/datapath: ${problem}; node:dgram and node:crypto serve instead`);

/** What stands in the way of the native form; undefined when it is there. */
function install() {
  if (process.platform !== "linux") return "the native form is for Linux";
  const stamp = sourcesHash();
  if (existsSync(built) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return undefined;
  if (hasPrebuild()) return undefined;
  const output = compile();
  if (output !== undefined) return `the native form could not be compiled (${output})`;
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
  return undefined;
}

/** Of everything the binary is made from. */
function sourcesHash() {
  const hash = createHash("sha256").update(process.arch);
  const sources = readdirSync(join(folder, "native")).sort();
  for (const name of ["../binding.gyp", ...sources])
    hash.update(name).update(readFileSync(join(folder, "native", name)));
  return hash.digest("hex");
}

function hasPrebuild() {
  if (!existsSync(join(folder, "prebuilds"))) return false;
  try {
    process.env.PREBUILDS_ONLY = "1";
    require("node-gyp-build").path(folder);
    return true;
  } catch {
    return false;
  }
}

/** Runs node-gyp; the last words of what it said when that failed. */
function compile() {
  const command = findNodeGyp();
  const words = [...command.slice(1), "rebuild", ...nodeHeaders()];
  if (process.env.RIPOSTE_WARNINGS_AS_ERRORS === "1") words.push("--", "-Dwarnings_as_errors=1");
  const { status, error, stdout, stderr } = spawnSync(command[0], words, { cwd: folder, encoding: "utf8" });
  if (status === 0 && existsSync(built)) return undefined;
  if (error !== undefined) return error.message;
  const line = `${stdout}\n${stderr}`.split("\n").find((candidate) => /error|not found/i.test(candidate));
  return line?.trim() ?? `node-gyp ended with ${status}`;
}

/** The program and its first words: the one installed beside this package, the one npm carries, or one on the path. */
function findNodeGyp() {
  try {
    return [process.execPath, require.resolve("node-gyp/bin/node-gyp.js")];
  } catch {
    const carried = process.env.npm_config_node_gyp;
    return carried === undefined ? ["node-gyp"] : [process.execPath, carried];
  }
}

/** Headers that came with this Node, so that none need to be downloaded. Any version's do: the addon uses Node-API only. */
function nodeHeaders() {
  if (process.env.npm_config_nodedir !== undefined) return [];
  const candidates = [dirname(dirname(process.execPath)), "/usr", "/usr/local"];
  const found = candidates.find((candidate) => existsSync(join(candidate, "include", "node", "node_api.h")));
  return found === undefined ? [] : [`--nodedir=${found}`];
}
