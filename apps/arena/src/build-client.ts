/** Builds the browser client with Vite's API, only when a source is newer than the last build. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../client/", import.meta.url));
/** Where the built client lies; the server serves it. */
export const clientDir: string = fileURLToPath(new URL("../dist/", import.meta.url));
const SOURCES = ["../client/", "./", "../../../packages/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** Returns whether it had to build. */
export async function buildClient(options: { readonly force?: boolean } = {}): Promise<boolean> {
  const built = await stat(join(clientDir, "index.html")).then(
    (info) => info.mtimeMs,
    () => 0,
  );
  const newest = Math.max(...(await Promise.all(SOURCES.map((path) => newestIn(path)))));
  if (options.force !== true && built > newest) return false;
  const { build } = await import("vite");
  // Vite says "production" to the whole process; the server that runs in it next must not believe that.
  const environment = process.env.NODE_ENV;
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    base: "./",
    build: { outDir: clientDir, emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 2000 },
  });
  if (environment === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = environment;
  return true;
}

async function newestIn(path: string): Promise<number> {
  let newest = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|css|html)$/.test(entry.name)) continue;
    if (entry.name.endsWith(".test.ts") || /[/\\](node_modules|dist)([/\\]|$)/.test(entry.parentPath)) continue;
    newest = Math.max(newest, (await stat(join(entry.parentPath, entry.name))).mtimeMs);
  }
  return newest;
}
