/** The native socket where the kernel refuses: full queues, missing offloads, vanished addresses. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { packageFolder, run, runNode, skipCompiled } from "./child.ts";

test("the native socket under a kernel that refuses", { skip: skipCompiled }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "riposte-faults-"));
  try {
    const library = join(folder, "faults.so");
    const source = join(packageFolder, "test/children/faults.c");
    const words = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"];
    const compiled = await run("cc", words, process.env, 60_000);
    assert.equal(compiled.status, 0, compiled.output);
    const { status, output } = await runNode(
      ["--test", "--test-timeout=20000", join(packageFolder, "test/children/faults.child.ts")],
      { LD_PRELOAD: library },
    );
    assert.equal(status, 0, output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
