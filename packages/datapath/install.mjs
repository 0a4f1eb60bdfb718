// Installs the native half: a prebuild where the package carries one for this platform, else compiled here. Where
// neither works the package is installed all the same, and openDatapath() takes node:dgram and node:crypto. The
// repository's own set-up runs this too; nothing happens unless the sources have changed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "./compile.mjs";

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
  // In the repository, warnings are errors; a stranger's newer compiler may know new ones.
  const output = compile(folder, existsSync(join(folder, "src")) ? { warnings_as_errors: 1 } : {});
  if (output !== undefined) return `the native form could not be compiled (${output})`;
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
  return undefined;
}

/** Of everything the binary is made from. */
function sourcesHash() {
  const hash = createHash("sha256").update(process.arch);
  const sources = readdirSync(join(folder, "native")).sort();
  for (const name of ["../binding.gyp", ...sources]) {
    hash.update(name).update(readFileSync(join(folder, "native", name)));
  }
  return hash.digest("hex");
}

function hasPrebuild() {
  if (!existsSync(join(folder, "prebuilds"))) return false;
  process.env.PREBUILDS_ONLY = "1";
  try {
    createRequire(import.meta.url)("node-gyp-build").path(folder);
    return true;
  } catch {
    return false;
  }
}
