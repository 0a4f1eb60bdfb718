import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader, ByteWriter } from "@riposte/wire";
import * as fc from "fast-check";
import { negotiatedExtensions } from "./extensions.ts";
import { HELLO_VERSION, readHello, writeHello } from "./hello.ts";
import type { Hello } from "./hello.ts";

/** Frame type, in two bytes. */
const TYPE_BYTES = 2;
/** Objects with the usual prototype, as the decoder makes them. */
const PLAIN = { noNullPrototype: true } as const;

const extensions = fc.array(fc.record({ id: fc.nat(5), value: fc.uint8Array({ maxLength: 10 }) }, PLAIN), {
  maxLength: 12,
});
const hellos: fc.Arbitrary<Hello> = fc.record(
  { version: fc.constant(HELLO_VERSION), schemaHash: fc.uint8Array({ minLength: 8, maxLength: 8 }), extensions },
  PLAIN,
);

function written(hello: Hello): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(400));
  writeHello(writer, hello);
  return writer.written().slice();
}

test("a hello comes back as it was written, and no shorter one does", () => {
  fc.assert(
    fc.property(hellos, (hello) => {
      const bytes = written(hello);
      const reader = new ByteReader(bytes, TYPE_BYTES);
      assert.deepEqual(readHello(reader), hello);
      assert.equal(reader.remaining, 0);
      for (let end = TYPE_BYTES; end < bytes.length; end++) {
        assert.equal(readHello(new ByteReader(bytes.subarray(0, end), TYPE_BYTES)), undefined);
      }
    }),
    { seed: 31, numRuns: 100 },
  );
});

/** A hello as a peer writes it that keeps to no limit. */
function unlimited(values: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(20_000));
  writeHello(writer, { version: HELLO_VERSION, schemaHash: new Uint8Array(8), extensions: [] });
  writer.offset--; // the number of extensions
  writer.varint(values.length);
  for (const value of values) {
    writer.varint(9);
    writer.varint(value.length);
    writer.bytes(value);
  }
  return writer.written().slice();
}

test("a hello that is damaged or above the limits is read within them or not at all, and never throws", () => {
  const damage = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 });
  const values = fc
    .nat(12)
    .chain((most) => fc.array(fc.uint8Array({ maxLength: most, size: "max" }), { maxLength: 60, size: "max" }));
  const bodies = fc.oneof(hellos.map(written), values.map(unlimited));
  let refused = 0;
  fc.assert(
    fc.property(bodies, damage, fc.uint8Array({ maxLength: 60 }), (body, changes, more) => {
      const bytes = Uint8Array.from([...body, ...more]);
      for (const [at, value] of changes) bytes[TYPE_BYTES + (at % (bytes.length - TYPE_BYTES))] = value;
      const read = readHello(new ByteReader(bytes, TYPE_BYTES));
      if (read === undefined) {
        refused++;
        return;
      }
      assert.equal(read.schemaHash.length, 8);
      assert.ok(read.extensions.length <= 32, `${read.extensions.length} extensions`);
      assert.ok(read.extensions.reduce((sum, { value }) => sum + value.length, 0) <= 128);
    }),
    { seed: 32, numRuns: 3000 },
  );
  assert.ok(refused > 500 && refused < 2500, `${refused} of 3,000`);
});

test("whatever extensions a peer names, nothing holds that this side does not want", () => {
  const own = fc.record({
    largePackets: fc.option(fc.constant(1472), { nil: undefined }),
    migration: fc.constantFrom(undefined, true as const, 77),
    aes: fc.boolean(),
  });
  fc.assert(
    fc.property(own, extensions, (wanted, theirs) => {
      const { largePackets, migration, aes } = wanted;
      const agreed = negotiatedExtensions(
        { aes, ...(largePackets !== undefined && { largePackets }), ...(migration !== undefined && { migration }) },
        theirs,
      );
      const names = new Set(theirs.map(({ id }) => id));
      if (agreed.largePackets !== undefined)
        assert.ok(largePackets !== undefined && agreed.largePackets > 0 && names.has(1));
      if (agreed.sessionId !== undefined) {
        assert.ok(migration !== undefined && names.has(2));
        assert.ok(
          migration === true ? agreed.sessionId > 0 && agreed.sessionId < 2 ** 32 : agreed.sessionId === migration,
        );
      }
      assert.equal(agreed.aes, aes && names.has(3));
    }),
    {
      seed: 33,
      numRuns: 2000,
      examples: [[{ largePackets: undefined, migration: true, aes: false }, [{ id: 2, value: new Uint8Array(4) }]]],
    },
  );
});
