// Builds and packs every package as it will be published, and proves that the tarballs work.
//
// In the repository the packages' manifests point at TypeScript sources, so that nothing needs
// building between an edit and a test. What is published points at `dist`: this script compiles,
// builds the operators' console, stages each package with a rewritten manifest in build/packages, checks it with publint, packs
// it, installs all tarballs into an empty project and imports every entry point there.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { buildConsole } from "../apps/console/src/build-console.ts";

interface Manifest {
  name: string;
  description?: string;
  version: string;
  exports?: unknown;
  imports?: unknown;
  bin?: unknown;
  files?: string[];
  [key: string]: unknown;
}

const root = join(import.meta.dirname, "..");
const out = join(root, "build", "packages");
const names = readdirSync(join(root, "packages"));

rmSync(out, { recursive: true, force: true });
execFileSync("tsc", ["-b", ...names.map((name) => `packages/${name}`)], { cwd: root, stdio: "inherit" });

await buildConsole({ force: true });

const tarballs: string[] = [];
const entryPoints: string[] = [];
for (const name of names) {
  const staged = stage(name);
  const manifest = readManifest(staged);
  const { messages } = await publint({ pkgDir: staged, level: "warning", pack: "npm" });
  for (const message of messages)
    console.error(`${manifest.name}: ${formatMessage(message, manifest) ?? message.code}`);
  if (messages.length > 0) process.exitCode = 1;
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", out, staged], { encoding: "utf8" });
  const listing = JSON.parse(packed) as
    | { filename: string; size: number; entryCount: number }[]
    | Record<string, { filename: string; size: number; entryCount: number }>;
  const tarball = Object.values(listing)[0];
  if (tarball === undefined) throw new Error(`npm pack made nothing of ${name}`);
  tarballs.push(join(out, tarball.filename));
  console.log(`${manifest.name}  ${(tarball.size / 1024).toFixed(1)} kB, ${tarball.entryCount} files`);
  for (const key of Object.keys(manifest.exports ?? {})) entryPoints.push(manifest.name + key.slice(1));
}
await tryInstalled();

function stage(name: string): string {
  const source = join(root, "packages", name);
  const target = join(out, name);
  mkdirSync(target, { recursive: true });
  const manifest = readManifest(source);
  for (const key of ["exports", "imports"] as const) {
    if (manifest[key] !== undefined) manifest[key] = published(manifest[key]);
  }
  if (manifest.bin !== undefined)
    manifest.bin = Object.fromEntries(
      Object.entries(manifest.bin as Record<string, string>).map(([command, file]) => [
        command,
        file.replace(/^\.\/src\/(.*)\.ts$/, "dist/$1.js"),
      ]),
    );
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  // What a package publishes beside its compiled files: native sources, an install script, prebuilt binaries.
  for (const entry of manifest.files ?? []) {
    if (!existsSync(join(source, entry))) continue;
    cpSync(join(source, entry), join(target, entry), {
      recursive: true,
      filter: (file) => !file.endsWith(".tsbuildinfo"),
    });
  }
  cpSync(join(root, "LICENSE"), join(target, "LICENSE"));
  if (!existsSync(join(target, "README.md")))
    writeFileSync(join(target, "README.md"), `# ${manifest.name}\n\n${manifest.description ?? ""}\n`);
  return target;
}

/** Turns every "./src/x.ts" of a manifest into the compiled file with its types. */
function published(value: unknown): unknown {
  if (typeof value === "string") {
    const source = /^\.\/src\/(.*)\.ts$/.exec(value);
    return source === null ? value : { types: `./dist/${source[1]}.d.ts`, default: `./dist/${source[1]}.js` };
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, published(inner)]));
}

/** A stranger's project: nothing but the tarballs, every entry point imported, as JavaScript; and a balancer with its console. */
async function tryInstalled(): Promise<void> {
  const project = mkdtempSync(join(tmpdir(), "riposte-packed-"));
  try {
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs], {
      cwd: project,
      stdio: "inherit",
    });
    const program = entryPoints.map((entry) => `await import(${JSON.stringify(entry)});`);
    program.push('console.log((await import("@riposte/datapath")).openDatapath().name);');
    writeFileSync(join(project, "try.js"), program.join("\n"));
    const datapath = execFileSync(process.execPath, ["try.js"], { cwd: project, encoding: "utf8" }).trim();
    console.log(`${tarballs.length} tarballs install and ${entryPoints.length} entry points import`);
    console.log(`the datapath there is ${datapath}`);
    await tryBalancer(project);
    if (process.env.CI === "true" && process.platform === "linux" && datapath !== "native") process.exitCode = 1;
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** The command starts, and its console is there. */
async function tryBalancer(project: string): Promise<void> {
  const riposte = join(project, "node_modules", ".bin", "riposte");
  const args = ["balancer", "--dev", "--no-geoip", "--host", "127.0.0.1", "--port", "0"];
  const child = spawn(process.execPath, [riposte, ...args], { cwd: project, stdio: ["ignore", "ignore", "pipe"] });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stderr.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        const console = /console at (\S+)/.exec(said)?.[1];
        if (console !== undefined) resolve(console);
      });
      child.once("exit", () => reject(new Error(`riposte balancer: ${said}`)));
    });
    const page = await (await fetch(url)).text();
    const files = Array.from(page.matchAll(/(?:src|href)="\.\/([^"]+)"/g), ([, file]) => file);
    for (const file of files) {
      const { status } = await fetch(new URL(file, url));
      if (status !== 200) throw new Error(`the packed console has no ${file}`);
    }
    if (files.length < 2) throw new Error(`the packed console is no page: ${page}`);
    console.log(`riposte balancer serves its console: ${files.length} files`);
  } finally {
    child.kill("SIGKILL");
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
