// Extracts "your first multiplayer game" from the README, type-checks it, builds it, serves it and
// plays it in Chromium with two players: one walks, the other sees it and shoots it.
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { peerOrSkip } from "../scripts/peers.mjs";

const root = join(import.meta.dirname, "..");
const peer = peerOrSkip("chromium");

describe("the README's first game", { skip: peer.skip }, () => {
  let folder = "";
  let server: ChildProcess;
  let browser: Browser;
  let url = "";
  const errors: string[] = [];

  before(async () => {
    mkdirSync(join(root, "build"), { recursive: true });
    folder = mkdtempSync(join(root, "build", "first-game-"));
    for (const [name, text] of readmeFiles()) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(userTsconfig));
    execFileSync(bin("tsc"), ["-p", folder], { stdio: "pipe", encoding: "utf8" });
    execFileSync(bin("vite"), ["build", "--logLevel", "error"], { cwd: folder, stdio: "pipe" });
    server = spawn(process.execPath, ["server.ts"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    url = await printedUrl(server);
    browser = await chromium.launch({ executablePath: peer.path, args: ["--no-sandbox", "--disable-gpu"] });
  });

  after(async () => {
    await browser?.close();
    if (server !== undefined && server.exitCode === null) {
      const gone = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it("is played by two pages: one walks and is seen, the other shoots and hits", { timeout: 60_000 }, async () => {
    const walker = await open();
    const shooter = await open();
    await walker.keyboard.down("KeyD");
    await walker.waitForFunction(`(${rightmost.toString()})() > 520`, undefined, { timeout: 10_000 });
    await walker.keyboard.up("KeyD");
    // It stands still, and both pages draw it at the same place.
    const x = `(${rightmost.toString()})()`;
    let drawn = 0;
    for (let tries = 0, last = -1, seen = -1; last !== drawn || Math.abs(seen - drawn) > 2; tries++) {
      assert.ok(tries < 60, `the walker is at ${drawn}, the other page draws it at ${seen}`);
      last = drawn;
      await walker.waitForTimeout(250);
      drawn = await walker.evaluate<number>(x);
      seen = await shooter.evaluate<number>(x);
    }

    // The aim line ends a metre (20 px) right of the walker's centre.
    const bodyColour = `(${colourAt.toString()})(${drawn - 22})`;
    assert.equal(await walker.evaluate(bodyColour), "green");
    await shooter.mouse.move(408 + 300, 408);
    await shooter.mouse.down();
    await walker.waitForFunction(`${bodyColour} === "red"`, undefined, { timeout: 10_000 });
    await shooter.mouse.up();
    assert.deepEqual(errors, []);
  });

  async function open(): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      // The page has no icon, and the browser asks for one.
      if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico")) errors.push(message.text());
    });
    await page.goto(url);
    await page.waitForFunction(`(${rightmost.toString()})() > 0`, undefined, { timeout: 10_000 });
    return page;
  }
});

const userTsconfig = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable", "dom", "dom.iterable"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  include: ["*.ts"],
};

/** In the page: the rightmost drawn column of the canvas, 0 when nothing is drawn. */
function rightmost(): number {
  const canvas = document.querySelector("canvas")!;
  const { data, width } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
  let right = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) right = Math.max(right, (i >> 2) % width);
  return right;
}

/** In the page: the colour of the body drawn around column `x`, a little above the middle row. */
function colourAt(x: number): "green" | "red" | "other" {
  const canvas = document.querySelector("canvas")!;
  const [red, green] = canvas.getContext("2d")!.getImageData(x, canvas.height / 2 - 5, 1, 1).data;
  if (green > 150 && red < 100) return "green";
  return red > 150 && green < 100 ? "red" : "other";
}

/** The README's fenced blocks that stand under a bold file name. */
function readmeFiles(): Map<string, string> {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const files = new Map<string, string>();
  for (const [, name, text] of readme.matchAll(/^\*\*([\w.]+)\*\*[^\n]*\n+```\w+\n(.*?)^```/gms)) files.set(name, text);
  assert.deepEqual([...files.keys()], ["game.ts", "server.ts", "client.ts", "index.html"]);
  return files;
}

function bin(name: string): string {
  return join(root, "node_modules", ".bin", name);
}

async function printedUrl(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += String(chunk);
    const found = /play at (\S+)/.exec(text);
    if (found !== null) return found[1];
  }
  throw new Error(`the server ended without printing its URL: ${text}`);
}
