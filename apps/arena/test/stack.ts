/** For the browser test: the arena's processes, the browser, and hands that play by keyboard and mouse. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { OverlayValues } from "@riposte/client/overlay";
import type { Page } from "playwright-core";
import type { ArenaHandle, Standing } from "../client/arena-handle.ts";
import type { Point } from "../src/map.ts";
import { pathBetween } from "../src/navigation.ts";

declare global {
  // eslint-disable-next-line no-var
  var arena: ArenaHandle;
}

/** Starts one of the arena's programs and waits until it says that it is ready. */
export async function startProgram(
  file: string,
  args: readonly string[],
): Promise<{ child: ChildProcess; ready: unknown }> {
  const child = fork(fileURLToPath(new URL(`../src/${file}`, import.meta.url)), args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`${file} ended with ${String(code)} before it was ready`);
  });
  const [message] = (await Promise.race([once(child, "message"), failed])) as [{ ready: unknown }];
  failed.catch(() => undefined);
  return { child, ready: message.ready };
}

export async function endProgram(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}

/** Asks again and again until it is true. */
export async function until(what: string, seconds: number, ask: () => Promise<boolean>): Promise<void> {
  const endAt = performance.now() + seconds * 1000;
  while (performance.now() < endAt) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

export const own = (page: Page): Promise<Standing | undefined> => page.evaluate(() => arena.own());
export const players = (page: Page): Promise<Standing[]> => page.evaluate(() => arena.players());

/** Keys held down on a page; pressing and releasing only what changes. */
export class Keyboard {
  readonly #page: Page;
  readonly #held = new Set<string>();

  constructor(page: Page) {
    this.#page = page;
  }

  /** Holds the keys that lead in this direction, and no others. */
  async walk(x: number, y: number): Promise<void> {
    const least = Math.hypot(x, y) * 0.38;
    const wanted = new Set<string>();
    if (x < -least) wanted.add("KeyA");
    if (x > least) wanted.add("KeyD");
    if (y < -least) wanted.add("KeyW");
    if (y > least) wanted.add("KeyS");
    for (const key of this.#held) if (!wanted.has(key)) await this.#page.keyboard.up(key);
    for (const key of wanted) if (!this.#held.has(key)) await this.#page.keyboard.down(key);
    this.#held.clear();
    for (const key of wanted) this.#held.add(key);
  }

  stop(): Promise<void> {
    return this.walk(0, 0);
  }

  /** One look and one decision on the way to a place. */
  async stepTowards(target: Point): Promise<void> {
    const here = await own(this.#page);
    if (here === undefined || here.health === 0) return;
    const path = pathBetween(here, target);
    const next = path.find(({ x, y }) => Math.hypot(x - here.x, y - here.y) > 0.7) ?? target;
    await this.walk(next.x - here.x, next.y - here.y);
  }
}

/** Points the mouse at a place in the arena. */
export async function aimAt(page: Page, target: Point): Promise<void> {
  const place = { x: target.x, y: target.y };
  const spot = await page.evaluate(({ x, y }) => arena.toScreen(x, y), place);
  await page.mouse.move(spot.x, spot.y);
}

/** How many others are in full view, and how many are partly under the interface or at the edge of the window. */
export function inView(page: Page): Promise<{ free: number; covered: number }> {
  return page.evaluate(() => {
    const cards =
      "#brand, #net, #board, #feed li, #vitals, #abilities, #map, #panel-button, #hint:not(.gone), #center.on";
    const boxes = Array.from(document.querySelectorAll(cards), (card) => card.getBoundingClientRect());
    const margin = 45;
    const counts = { free: 0, covered: 0 };
    for (const { seat, health, x, y } of arena.players()) {
      const spot = arena.toScreen(x, y);
      const off = (low: number, high: number, at: number): boolean => at < low - margin || at > high + margin;
      if (health === 0 || off(0, innerWidth, spot.x) || off(0, innerHeight, spot.y)) continue;
      const whole = !(
        off(2 * margin, innerWidth - 2 * margin, spot.x) || off(2 * margin, innerHeight - 2 * margin, spot.y)
      );
      const open = boxes.every((box) => off(box.left, box.right, spot.x) || off(box.top, box.bottom, spot.y));
      if (whole && open) counts.free += Number(seat !== arena.seat);
      else counts.covered++;
    }
    return counts;
  });
}

/** A figure of the network box, as it stands there. */
export async function figure(page: Page, name: string): Promise<number> {
  return Number(await page.locator(`[data-stat="${name}"]`).textContent());
}

/** Full resolution, and two frames drawn with it. */
export async function sharpFrame(page: Page): Promise<void> {
  const frames = await page.evaluate(() => {
    arena.quality(1);
    return arena.frames;
  });
  await page.waitForFunction((after) => arena.frames >= after, frames + 2);
}

/** Bytes that are not 0 on the overlay's canvas; 0 while it is hidden. */
export function painted(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#prediction:not([hidden])");
    const context = canvas?.getContext("2d");
    if (!canvas || !context || canvas.width === 0) return 0;
    return context.getImageData(0, 0, canvas.width, canvas.height).data.filter((byte) => byte > 0).length;
  });
}

/** What the prediction overlay says. */
export const predictionValues = (page: Page): Promise<OverlayValues> => page.evaluate(() => arena.prediction);
