/** Builds the console with Vite's API to where the fleet package serves it from, only when a source is newer than the last build. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../client/", import.meta.url));
/** `packages/fleet/src/http/console-routes.ts` reads it; it is packed with that package. */
export const consoleFolder: string = fileURLToPath(new URL("../../../packages/fleet/console/", import.meta.url));

/** Returns whether it had to build. */
export async function buildConsole({ force = false }: { readonly force?: boolean } = {}): Promise<boolean> {
  const built = await stat(join(consoleFolder, "index.html")).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (!force && built > (await newestIn(root))) return false;
  const { build } = await import("vite");
  // Vite says "production" to the whole process; what runs in it next must not believe that.
  const environment = process.env.NODE_ENV;
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    base: "./",
    // Nothing may stand inline: the page's policy allows files only.
    build: {
      outDir: consoleFolder,
      emptyOutDir: true,
      target: "es2022",
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
  if (environment === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = environment;
  return true;
}

async function newestIn(path: string): Promise<number> {
  let newest = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) newest = Math.max(newest, (await stat(join(entry.parentPath, entry.name))).mtimeMs);
  return newest;
}

if (import.meta.main) console.log((await buildConsole({ force: true })) ? `Built ${consoleFolder}` : "");
