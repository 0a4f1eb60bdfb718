import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { AddressTable } from "../src/index.ts";
import { forms, portableDatapath } from "./forms.ts";

for (const form of forms) {
  const createTable = (capacity: number): AddressTable => form.createAddressTable(capacity);

  test(`${form.name}: an address keeps its path, another gets another`, () => {
    const table = createTable(8);
    const a = table.intern("127.0.0.1", 1000);
    const b = table.intern("127.0.0.1", 1001);
    const c = table.intern("::1", 1000);
    assert.equal(new Set([a, b, c]).size, 3);
    assert.equal(table.intern("127.0.0.1", 1000), a);
    assert.equal(table.host(c), "::1");
    assert.equal(table.port(b), 1001);
    assert.equal(table.size, 3);
  });

  test(`${form.name}: IPv4 mapped into IPv6 is the IPv4 address`, () => {
    const table = createTable(8);
    const path = table.intern("::ffff:10.0.0.1", 5);
    assert.equal(table.intern("10.0.0.1", 5), path);
    assert.equal(table.host(path), "10.0.0.1");
  });

  test(`${form.name}: a full table forgets what was used longest ago and nobody retains`, () => {
    const table = createTable(3);
    const a = table.intern("10.0.0.1", 1);
    const b = table.intern("10.0.0.2", 1);
    const c = table.intern("10.0.0.3", 1);
    table.retain(a);
    table.intern("10.0.0.2", 1);
    assert.equal(table.intern("10.0.0.4", 1), c);
    assert.equal(table.intern("10.0.0.5", 1), b);
    assert.equal(table.host(a), "10.0.0.1");
    assert.equal(table.recycled, 2);
    table.retain(b);
    table.retain(c);
    assert.equal(table.intern("10.0.0.6", 1), -1);
    table.release(a);
    assert.equal(table.intern("10.0.0.6", 1), a);
  });

  test(`${form.name}: misuse is named`, () => {
    const table = createTable(3);
    assert.throws(() => table.host(0), /unknown path 0/);
    const path = table.intern("10.0.0.1", 1);
    assert.throws(() => table.release(path), /not retained/);
    assert.throws(() => table.retain(1), /unknown path 1/);
    assert.throws(() => table.port(-1), /unknown path -1/);
    assert.equal(table.has(-1), false);
    assert.equal(table.has(path), true);
    assert.throws(() => table.intern("game.example", 1), /must be an IP address, not game.example/);
    assert.throws(() => table.intern("10.0.0.1\0", 1), RangeError);
    assert.throws(() => table.intern("10.0.0.1", 65_536), /port must be an integer/);
    for (const capacity of [0, 1.5, Number.NaN, 2 ** 32])
      assert.throws(() => createTable(capacity), /capacity must be/);
  });

  test(`${form.name}: whatever comes, a retained path keeps its address and no two paths share one`, () => {
    const action = fc.record({
      kind: fc.constantFrom("intern", "retain", "release"),
      host: fc.nat(30),
      pick: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const table = createTable(6);
        const retained = new Map<number, { key: string; times: number }>();
        for (const { kind, host, pick } of actions) {
          if (kind === "intern") {
            const path = table.intern(`10.0.0.${host}`, host);
            if (path < 0) assert.equal(retained.size, 6);
            else assert.equal(`${table.host(path)} ${table.port(path)}`, `10.0.0.${host} ${host}`);
          } else if (kind === "retain" && table.size > 0) {
            const path = pick % table.size;
            table.retain(path);
            const entry = retained.get(path) ?? { key: table.host(path), times: 0 };
            entry.times += 1;
            retained.set(path, entry);
          } else if (kind === "release" && retained.size > 0) {
            const path = [...retained.keys()][pick % retained.size];
            const entry = retained.get(path) ?? { key: "", times: 1 };
            table.release(path);
            entry.times -= 1;
            if (entry.times === 0) retained.delete(path);
          }
          for (const [path, entry] of retained) assert.equal(table.host(path), entry.key);
          const seen = new Set<string>();
          for (let path = 0; path < table.size; path += 1) seen.add(table.host(path));
          assert.equal(seen.size, table.size);
        }
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test(`${form.name}: an address has the same name under whatever path, a recycled path another name`, () => {
    const table = createTable(1);
    const first = table.intern("::ffff:10.0.0.1", 4000);
    const name = table.name(first);
    assert.equal(table.intern("10.0.0.2", 4000), first);
    assert.notEqual(table.name(first), name);
    assert.equal(table.name(table.intern("10.0.0.1", 4000)), name);
  });
  test(`${form.name}: however an address is written, it is one address`, () => {
    const table = createTable(8);
    const path = table.intern("2001:db8:0:0:0:0:0:1", 7);
    assert.equal(table.intern("2001:DB8::1", 7), path);
    assert.equal(table.host(path), "2001:db8::1");
    assert.equal(table.name(path), "2001:db8::1 7");
    assert.equal(table.intern("::FFFF:10.0.0.9", 7), table.intern("10.0.0.9", 7));
    assert.equal(table.size, 2);
  });

  test(`${form.name}: thousands of addresses, each with a path of its own`, () => {
    const table = createTable(5000);
    const paths = new Set<number>();
    for (let i = 0; i < 5000; i += 1) paths.add(table.intern(`10.0.${i >> 8}.${i & 255}`, 1 + (i % 3)));
    assert.equal(paths.size, 5000);
    assert.equal(table.recycled, 0);
    for (let i = 0; i < 5000; i += 7) {
      const path = table.intern(`10.0.${i >> 8}.${i & 255}`, 1 + (i % 3));
      assert.equal(table.host(path), `10.0.${i >> 8}.${i & 255}`);
    }
    assert.equal(table.size, 5000);
  });
}

test("both forms give out the same paths, whatever comes", () => {
  const action = fc.record({ kind: fc.nat(2), host: fc.nat(9), path: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const tables = forms.map((form) => form.createAddressTable(4));
      for (const { kind, host, path } of actions) {
        const results = tables.map((table) => attempt(table, kind, host, path));
        for (const result of results) assert.deepEqual(result, results[0]);
      }
      const texts = tables.map((table) => Array.from({ length: table.size }, (_, at) => table.name(at)).join());
      for (const text of texts) assert.equal(text, texts[0]);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test("the default is 32,768 paths", () => {
  for (const form of forms) assert.equal(form.createAddressTable().capacity, 32_768);
  assert.equal(portableDatapath.name, "portable");
});

function attempt(table: AddressTable, kind: number, host: number, path: number): number | string {
  try {
    if (kind === 0) return table.intern(`10.0.0.${host}`, 1);
    if (kind === 1) table.retain(path);
    else table.release(path);
    return 0;
  } catch (error) {
    return String(error);
  }
}
