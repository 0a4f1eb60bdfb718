/** The forms of the datapath that this process can have: what is promised of one is promised of both. */
import { loadNativeDatapath } from "../src/native/native-datapath.ts";
import type { Datapath } from "../src/index.ts";
import { portableDatapath } from "../src/portable/portable-datapath.ts";

export { portableDatapath };

/** Undefined where the addon cannot be built, or RIPOSTE_DATAPATH says so. In CI it must be there. */
export const nativeDatapath: Datapath | undefined = loadNative();

export const forms: readonly Datapath[] =
  nativeDatapath === undefined ? [portableDatapath] : [portableDatapath, nativeDatapath];

/** For tests of the native form alone: why it is missing, or false. */
export const skipNative: string | false = nativeDatapath === undefined && "no native datapath here";

function loadNative(): Datapath | undefined {
  if (process.env.RIPOSTE_DATAPATH === "portable") return undefined;
  try {
    return loadNativeDatapath();
  } catch (error) {
    if (process.env.CI === "true" && process.platform === "linux") throw error;
    return undefined;
  }
}
