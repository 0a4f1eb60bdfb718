import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The C programs of bench/peers, compiled into a folder of their own. */
export class NativePeers implements AsyncDisposable {
  readonly #folder: string;

  static async create(): Promise<NativePeers> {
    return new NativePeers(await mkdtemp(join(tmpdir(), "riposte-bench-")));
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Path of the program; undefined where there is no compiler or a library is missing. */
  async compile(name: string, libraries: readonly string[]): Promise<string | undefined> {
    const source = fileURLToPath(new URL(`../../peers/${name}.c`, import.meta.url));
    const program = join(this.#folder, name);
    try {
      await run(process.env.CC ?? "cc", ["-O2", "-pthread", "-o", program, source, ...libraries]);
      return program;
    } catch {
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
