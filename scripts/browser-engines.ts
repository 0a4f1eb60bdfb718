// For tests that hold engines against each other: a module is bundled and run in Chromium (V8) and in Firefox
// (SpiderMonkey), on an empty page. What it hands back comes as JSON.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { launch } from "puppeteer-core";
import { peerOrSkip } from "./peers.mjs";

export type BrowserEngine = "chromium" | "firefox";

/** The browser's program, or why a test of it is skipped. With CI=true it throws where there is none. */
export function engineOrSkip(engine: BrowserEngine): ReturnType<typeof peerOrSkip> {
  return peerOrSkip(engine === "firefox" ? "firefox-esr" : engine);
}

/** Bundles the module at `entry` (a path) into one script, in which its exports are `bundled`. */
export async function bundleForBrowser(entry: string): Promise<string> {
  const { build } = await import("vite");
  const scratch = join(import.meta.dirname, "..", "build");
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, "engines-"));
  try {
    const output = await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: {
        write: false,
        minify: false,
        target: "es2022",
        lib: { entry, formats: ["iife"], name: "bundled" },
      },
    });
    const [bundle] = Array.isArray(output) ? output : [output];
    if (!("output" in bundle)) throw new Error(`${entry} was not bundled`);
    return bundle.output[0].code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an expression comes to in a browser, behind the bundle. Default its `result`. */
export async function runInBrowser(
  engine: BrowserEngine,
  bundle: string,
  expression = "bundled.result",
): Promise<unknown> {
  const { path } = engineOrSkip(engine);
  const script = `${bundle}\nJSON.stringify(${expression})`;
  if (engine === "chromium") {
    const browser = await chromium.launch({
      executablePath: path,
      args: ["--no-sandbox", "--disable-gpu"],
      timeout: 120_000,
    });
    try {
      const page = await browser.newPage();
      return JSON.parse(await page.evaluate<string>(script)) as unknown;
    } finally {
      await browser.close();
    }
  }
  const browser = await launch({ browser: "firefox", executablePath: path, headless: true, timeout: 120_000 });
  try {
    const page = await browser.newPage();
    return JSON.parse((await page.evaluate(script)) as string) as unknown;
  } finally {
    await browser.close();
  }
}
