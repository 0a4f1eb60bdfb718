import { isMainThread } from "node:worker_threads";
import type { Datapath } from "./datapath.ts";
import { loadNativeDatapath } from "./native/native-datapath.ts";
import { portableDatapath } from "./portable/portable-datapath.ts";

let chosen: Datapath | undefined;

/**
 * The best datapath this process has: the native one where its addon is built, loads and passes its
 * self-test, else the portable one, with one line on stderr that says why. The environment variable
 * RIPOSTE_DATAPATH decides instead: "portable", or "native", which throws where there is none.
 */
export function openDatapath(): Datapath {
  return (chosen ??= choose(process.env.RIPOSTE_DATAPATH ?? ""));
}

function choose(wanted: string): Datapath {
  if (wanted === "portable") return portableDatapath;
  if (wanted !== "" && wanted !== "native")
    throw new RangeError(`RIPOSTE_DATAPATH must be "native" or "portable", not "${wanted}"`);
  try {
    return loadNativeDatapath();
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    if (wanted === "native") throw new Error(`no native datapath: ${reason}`, { cause: error });
    if (isMainThread) console.warn(`riposte: no native datapath, so packets take the slower way (${reason})`);
    return portableDatapath;
  }
}
