/** Nothing outlives its owner: sockets, keys and tables, on the main thread and in workers that are cut off. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { PacketBatch } from "../src/index.ts";
import { runNode } from "./child.ts";
import { nativeDatapath, portableDatapath, skipNative } from "./forms.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const sanitized = process.env.RIPOSTE_SANITIZED === "1";
const CYCLES = sanitized ? 500 : 10_000;
const WORKERS = sanitized ? 6 : 12;

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

async function settle(): Promise<number> {
  for (let i = 0; i < 4; i += 1) {
    collect();
    // Finalizers run in turns of the event loop.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage.rss();
}

/** Asserts that a round leaves less than `limit` bytes behind: a leak is in every round, what the heap reserves is not. */
async function assertNoGrowth(round: () => Promise<void>, limit: number): Promise<void> {
  await round();
  const growth: number[] = [];
  let before = await settle();
  while (growth.length < 6) {
    await round();
    const after = await settle();
    growth.push(after - before);
    // Under AddressSanitizer freed memory rests in quarantine.
    if (after - before < limit || sanitized) return;
    before = after;
  }
  assert.fail(`each round left behind: ${growth.join(", ")} bytes`);
}

describe("the native datapath's lifetime", { skip: skipNative }, () => {
  const datapath = nativeDatapath ?? portableDatapath;

  test(`${CYCLES} sockets opened and closed leave no descriptor and no memory behind`, async () => {
    const addresses = datapath.createAddressTable(64);
    const cycles = async (): Promise<void> => {
      for (let i = 0; i < CYCLES; i += 1) {
        const socket = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => {} });
        socket.close();
        // libuv ends what was closed once in a turn.
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const files = openFiles();
    // The socket and its handle have some 450 bytes.
    await assertNoGrowth(cycles, 100 * CYCLES);
    assert.equal(openFiles(), files);
  });

  test("tables, keys and whole protections that are forgotten give their memory back", async () => {
    const key = new Uint8Array(32);
    const cycle = (): void => {
      const table = datapath.createAddressTable(10_000);
      for (let i = 0; i < 200; i += 1) table.intern("10.0.0.1", i);
      const protection = datapath.createPacketProtection();
      const batch = new PacketBatch(16);
      for (let i = 0; i < 16; i += 1) {
        batch.append(new Uint8Array(40), 0, 40, 0);
        batch.key[i] = protection.addKey(key, key, { headerProtectionKey: key });
        batch.headerLength[i] = 10;
      }
      protection.seal(batch);
      // Some are released, the others go with the object.
      for (let i = 0; i < 8; i += 1) protection.releaseKey(i);
    };
    const cycles = async (): Promise<void> => {
      for (let i = 0; i < 1000; i += 1) {
        cycle();
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    // One key's contexts have about 2 kB, of which 16,000 pass in a round.
    await assertNoGrowth(cycles, 4_000_000);
  });

  test("a socket that nobody holds any more still hears, until it is closed", async () => {
    const heard = Promise.withResolvers<void>();
    const port = await (async () => {
      const socket = await datapath.openUdpSocket({
        host: "127.0.0.1",
        addresses: datapath.createAddressTable(4),
        onReadable: () => {
          socket.close();
          heard.resolve();
        },
      });
      return socket.port;
    })();
    await settle();
    const addresses = datapath.createAddressTable(4);
    const sender = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => {} });
    const batch = new PacketBatch(1);
    batch.append(new Uint8Array(1), 0, 1, addresses.intern("127.0.0.1", port));
    sender.send(batch);
    await heard.promise;
    sender.close();
  });

  test(`${WORKERS} workers are terminated in the middle of their batches`, async () => {
    const files = openFiles();
    for (let i = 0; i < WORKERS; i += 2) {
      const workers = [0, 1].map(() => new Worker(new URL("children/worker.ts", import.meta.url)));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("message", resolve))));
      await new Promise((resolve) => setTimeout(resolve, i));
      for (const code of await Promise.all(workers.map((worker) => worker.terminate()))) assert.equal(code, 1);
    }
    assert.ok(openFiles() <= files + 2, `${openFiles() - files} descriptors more`);
  });

  test("a process ends in order with sockets open, and stays alive for them until then", async () => {
    const program = `
      import { loadNativeDatapath } from ${JSON.stringify(join(import.meta.dirname, "../src/native/native-datapath.ts"))};
      const datapath = loadNativeDatapath();
      const addresses = datapath.createAddressTable(4);
      for (let i = 0; i < 3; i += 1) await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: () => {} });
      setTimeout(() => { console.log("alive"); process.exit(7); }, 50).unref();
    `;
    const { status, output } = await runNode(["--input-type=module", "--eval", program], {}, 20_000);
    assert.deepEqual([status, output.trim()], [7, "alive"]);
  });
});
