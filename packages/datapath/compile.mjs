// Compiles the native half by node-gyp, without downloading anything that this machine has. Plain JavaScript for
// Node 20 and newer, because npm runs it before anything is set up.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Compiles the addon in `folder`, which holds binding.gyp and native/; what went wrong, or undefined.
 * @param {string} folder
 * @param {Readonly<Record<string, number>>} variables Of binding.gyp.
 * @returns {string | undefined}
 */
export function compile(folder, variables = {}) {
  const definitions = Object.entries(variables).map(([name, value]) => `-D${name}=${value}`);
  const [program, ...words] = nodeGyp();
  words.push("rebuild", ...headers(), ...(definitions.length > 0 ? ["--", ...definitions] : []));
  const { status, error, stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: "utf8" });
  if (status === 0 && existsSync(join(folder, "build", "Release", "riposte_datapath.node"))) return undefined;
  if (error !== undefined) return error.message;
  const line = `${stdout}\n${stderr}`.split("\n").find((candidate) => /error|not found/i.test(candidate));
  return line?.trim() ?? `node-gyp ended with ${status}`;
}

/** The program and its first words: the one installed beside this package, the one npm carries, or one on the path. */
function nodeGyp() {
  try {
    return [process.execPath, fileURLToPath(import.meta.resolve("node-gyp/bin/node-gyp.js"))];
  } catch {
    const carried = process.env.npm_config_node_gyp;
    return carried === undefined ? ["node-gyp"] : [process.execPath, carried];
  }
}

/** Headers that came with a Node here. Those of any version do: the addon uses Node-API only. */
function headers() {
  if (process.env.npm_config_nodedir !== undefined) return [];
  const candidates = [dirname(dirname(process.execPath)), "/usr", "/usr/local"];
  const found = candidates.find((candidate) => existsSync(join(candidate, "include", "node", "node_api.h")));
  return found === undefined ? [] : [`--nodedir=${found}`];
}
