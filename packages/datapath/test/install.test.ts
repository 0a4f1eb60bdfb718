/** Installing and choosing: with a compiler, with a prebuild, with neither; and what openDatapath makes of it. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { loadAddon } from "../src/native/addon.ts";
import { selfTest } from "../src/native/self-test.ts";
import { packageFolder, runNode } from "./child.ts";
import type { ChildResult } from "./child.ts";
import { nativeDatapath, skipNative } from "./forms.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The package as a stranger has it: no TypeScript, no node-gyp beside it. */
function strangersCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), "riposte-install-"));
  folders.push(folder);
  for (const name of ["native", "binding.gyp", "package.json", "install.mjs", "compile.mjs"])
    cpSync(join(packageFolder, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  const nodeGypBuild = dirname(createRequire(import.meta.url).resolve("node-gyp-build/package.json"));
  symlinkSync(nodeGypBuild, join(folder, "node_modules", "node-gyp-build"));
  return folder;
}

function install(folder: string, env: Record<string, string> = {}): Promise<ChildResult> {
  return runNode([join(folder, "install.mjs")], env);
}

/** What another process chooses. */
function choose(env: Record<string, string>): Promise<ChildResult> {
  const index = JSON.stringify(join(packageFolder, "src/index.ts"));
  const program = `console.log((await import(${index})).openDatapath().name);`;
  return runNode(["--input-type=module", "--eval", program], { RIPOSTE_DATAPATH: "", ...env });
}

const PREBUILD = "@RIPOSTE/DATAPATH_PREBUILD";

test("where nothing can be compiled, installing succeeds and says so in one line", async () => {
  for (const env of [
    { npm_config_node_gyp: "/no/such/node-gyp.js" },
    { CXX: "/no/such/compiler", CC: "/no/such/compiler" },
  ]) {
    const folder = strangersCopy();
    const { status, output } = await install(folder, env);
    assert.equal(status, 0);
    assert.match(output, /^@riposte\/datapath: the native form [^\n]+; node:dgram and node:crypto serve instead\n$/);
  }
});

test("without an addon the portable form is chosen, with one line on stderr", async () => {
  const { status, output } = await choose({ [PREBUILD]: strangersCopy() });
  assert.equal(status, 0);
  assert.match(output, /^riposte: no native datapath, so packets take the slower way \([^\n]+\)\nportable\n$/);
});

test("RIPOSTE_DATAPATH decides, and says so when it cannot be done", async () => {
  const none = { [PREBUILD]: strangersCopy() };
  assert.deepEqual(await choose({ RIPOSTE_DATAPATH: "portable" }), { status: 0, output: "portable\n" });
  const native = await choose({ ...none, RIPOSTE_DATAPATH: "native" });
  assert.equal(native.status, 1);
  assert.match(native.output, /no native datapath: /);
  assert.match((await choose({ RIPOSTE_DATAPATH: "fast" })).output, /must be "native" or "portable", not "fast"/);
});

test("a file that is no addon is not loaded", async () => {
  const folder = strangersCopy();
  mkdirSync(join(folder, "build", "Release"), { recursive: true });
  writeFileSync(join(folder, "build", "Release", "riposte_datapath.node"), "no addon");
  const { status, output } = await choose({ [PREBUILD]: folder });
  assert.equal(status, 0);
  assert.match(output, /^riposte: no native datapath[^\n]+\nportable\n$/);
});

describe("with the native form", { skip: skipNative }, () => {
  test("it is chosen, without a word", async () => {
    assert.deepEqual(await choose({}), { status: 0, output: "native\n" });
    assert.deepEqual(await choose({ RIPOSTE_DATAPATH: "native" }), { status: 0, output: "native\n" });
    assert.equal(nativeDatapath?.preferredCipher, loadAddon().hasAes() ? "aes-128-gcm" : "chacha20-poly1305");
  });

  test("a prebuild spares the compiler", async () => {
    const folder = strangersCopy();
    const prebuilds = join(folder, "prebuilds", `${process.platform}-${process.arch}`);
    mkdirSync(prebuilds, { recursive: true });
    cpSync(join(packageFolder, "build/Release/riposte_datapath.node"), join(prebuilds, "@riposte+datapath.node"));
    assert.deepEqual(await install(folder), { status: 0, output: "" });
    assert.equal(existsSync(join(folder, "build")), false);
    assert.deepEqual(await choose({ [PREBUILD]: folder }), { status: 0, output: "native\n" });
  });

  test("an addon whose ciphers are wrong in any way is not used", () => {
    const addon = loadAddon();
    assert.equal(selfTest(addon), undefined);
    const spoiled = (spoil: (kind: string, buffer: Uint8Array) => void) => ({
      ...addon,
      pollSelfTest: () => undefined,
      PacketProtection: class extends addon.PacketProtection {
        override seal(buffer: Uint8Array, descriptors: ArrayBuffer, count: number): void {
          super.seal(buffer, descriptors, count);
          spoil("seal", buffer);
        }
        override unprotect(buffer: Uint8Array, descriptors: ArrayBuffer, count: number): void {
          super.unprotect(buffer, descriptors, count);
          spoil("unprotect", buffer);
        }
        override open(buffer: Uint8Array, descriptors: ArrayBuffer, count: number): void {
          super.open(buffer, descriptors, count);
          spoil("open", buffer);
        }
      },
    });
    for (const kind of ["seal", "unprotect", "open"]) {
      const problem = selfTest(spoiled((at, buffer) => at === kind && (buffer[0] ^= 1)));
      assert.match(problem ?? "", /RFC 9001|test case|FIPS/, kind);
    }
    assert.equal(selfTest({ ...addon, pollSelfTest: () => "uv_poll is odd" }), "uv_poll is odd");
  });
});
