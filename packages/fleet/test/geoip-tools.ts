/** What tests of GeoIP share: timers that are moved by hand, small databases, a folder for them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Timers } from "../src/geoip/timers.ts";
import { writeMmdb } from "./mmdb-writer.ts";
import type { MmdbOptions, MmdbValue } from "./mmdb-writer.ts";

export class ManualTimers implements Timers {
  readonly waiting: Map<number, { callback: () => void; at: number }> = new Map();
  now = 0;
  #last = 0;

  setTimeout(callback: () => void, delayMs: number): unknown {
    this.waiting.set(++this.#last, { callback, at: this.now + delayMs });
    return this.#last;
  }

  clearTimeout(timer: unknown): void {
    this.waiting.delete(timer as number);
  }

  advance(ms: number): void {
    this.now += ms;
    for (const [timer, { callback, at }] of this.waiting)
      if (at <= this.now) {
        this.waiting.delete(timer);
        callback();
      }
  }
}

/** A record in the layout of ip-location-db. */
export function flat(country: string, city: string, latitude: number, longitude: number): MmdbValue {
  return { city, country_code: country, latitude, longitude, postcode: "", state1: "", state2: "", timezone: "" };
}

/** All of IPv4 in two halves, so that every address is known. */
export function halves(low: MmdbValue, high: MmdbValue, options: Partial<MmdbOptions> = {}): Buffer {
  return writeMmdb({
    networks: [
      ["0.0.0.0/1", low],
      ["128.0.0.0/1", high],
    ],
    ...options,
  });
}

/** Writes into a folder of the test's own, which goes away with it. */
export function folder(context: TestContext): (name: string, bytes: Buffer | string) => string {
  const path = mkdtempSync(join(tmpdir(), "riposte-geoip-"));
  context.after(() => {
    rmSync(path, { recursive: true });
  });
  return (name, bytes) => {
    const file = join(path, name);
    writeFileSync(file, bytes);
    return file;
  };
}
