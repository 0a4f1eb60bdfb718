// Completes package-lock.json after `npm install`: `npm run lockfile`.
//
// A registry mirror may lack the binaries of other platforms that tools name as optional
// dependencies. npm then leaves them out of the lockfile, and `npm ci` refuses a lockfile without
// them. This adds them by exact version with the platform that their name says, so that they are
// skipped here and found on the machines they are for.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));
const known = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, "")));
const platform = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|ppc64|riscv64|s390x)/;
let added = 0;

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const [, os, cpu] = platform.exec(name) ?? [];
    if (known.has(name) || os === undefined || !/^\d/.test(version)) continue;
    const libc = name.includes("musl") ? { libc: ["musl"] } : {};
    const dev = parent.dev === true ? { dev: true } : {};
    lock.packages[`node_modules/${name}`] = { version, cpu: [cpu], ...dev, ...libc, optional: true, os: [os] };
    known.add(name);
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`package-lock.json: ${added} optional packages of other platforms added`);
