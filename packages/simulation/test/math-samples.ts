/**
 * Results of `@riposte/simulation/math` for fixed arguments, folded into a number for each function: every engine must
 * come to the same. Runs in Node and, bundled, in browsers.
 */
import * as math from "@riposte/simulation/math";

const SAMPLES = 20_000;

type Library = Pick<
  Math,
  "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "atan2" | "exp" | "log" | "pow" | "sqrt"
> & {
  hypot(x: number, y: number, z?: number): number;
};

/** A hash over the bits of 20,000 results, for each function; of another library, such as the engine's `Math`. */
export function hashSamples(library: Library = math): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const [name, evaluate] of Object.entries(functionsOf(library))) {
    const view = new DataView(new ArrayBuffer(8));
    let state = 0x9e3779b9;
    const word = (): number => {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state;
    };
    let hash = 0x811c9dc5;
    for (let i = 0; i < SAMPLES; i++) {
      const small = word() / 2 ** 31;
      // Any number there is, in every other sample.
      view.setInt32(0, word());
      view.setInt32(4, word());
      const any = view.getFloat64(0);
      view.setFloat64(0, evaluate(i % 2 === 0 ? small : any, word() / 2 ** 20));
      for (let byte = 0; byte < 8; byte++) {
        // The bits of NaN are nobody's.
        const value = Number.isNaN(view.getFloat64(0)) ? 0xff : view.getUint8(byte);
        hash = Math.imul(hash ^ value, 0x01000193);
      }
    }
    hashes[name] = (hash >>> 0).toString(16);
  }
  return hashes;
}

function functionsOf(library: Library): Record<string, (x: number, y: number) => number> {
  return {
    sin: (x, y) => library.sin(x * 10) + library.sin(y),
    cos: (x, y) => library.cos(x * 10) + library.cos(y),
    tan: (x, y) => library.tan(x * 10) + library.tan(y),
    asin: (x) => library.asin(x),
    acos: (x) => library.acos(x),
    atan: (x, y) => library.atan(x * 4) + library.atan(y),
    atan2: (x, y) => library.atan2(x, y) + library.atan2(y, x),
    exp: (x, y) => library.exp(x) + library.exp(y),
    log: (x, y) => library.log(Math.abs(x)) + library.log(Math.abs(y)),
    pow: (x, y) => library.pow(Math.abs(x), y / 4) + library.pow(Math.abs(y), x * 20),
    hypot: (x, y) => library.hypot(x, y) + library.hypot(x, y, 1),
    sqrt: (x, y) => library.sqrt(Math.abs(x)) + library.sqrt(Math.abs(y)),
  };
}

export const GOLDEN: Readonly<Record<string, string>> = {
  sin: "8d5bbf1a",
  cos: "9fc49ebb",
  tan: "97897bf4",
  asin: "d9aef6fa",
  acos: "8ef69426",
  atan: "b78ef747",
  atan2: "f2acde79",
  exp: "92ed54bc",
  log: "68e0e264",
  pow: "1de315b8",
  hypot: "1b26f9d9",
  sqrt: "83f11e03",
};
