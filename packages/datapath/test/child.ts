/** Test files that run in a process of their own, with other libraries or options under them. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { skipNative } from "./forms.ts";

export interface ChildResult {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a program on this Node until it ends, at most `limitMs`; what it printed comes with its exit code. */
export async function runNode(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  limitMs = 200_000,
): Promise<ChildResult> {
  return run(process.execPath, words, { ...process.env, ...env, NODE_TEST_CONTEXT: undefined }, limitMs);
}

/** The same for any program. */
export async function run(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  limitMs: number,
): Promise<ChildResult> {
  const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe"], timeout: limitMs, cwd: packageFolder });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += String(bytes)));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output };
}

/** For tests that compile something: why they cannot, or false. In CI there is a compiler. */
export const skipCompiled: string | false = skipNative !== false ? skipNative : missingCompiler();

function missingCompiler(): string | false {
  if (["c++", "cc"].every((compiler) => spawnSync(compiler, ["--version"]).status === 0)) return false;
  if (process.env.CI === "true") throw new Error("no C++ compiler");
  return "no C++ compiler here";
}

export const packageFolder: string = join(import.meta.dirname, "..");
