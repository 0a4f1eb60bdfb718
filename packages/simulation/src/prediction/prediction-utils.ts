/** The single functions of prediction that stand by themselves. */
import { compressInput, decompressInput } from "./input/input-codec.ts";

export const PredictionUtils: {
  readonly compressInput: typeof compressInput;
  readonly decompressInput: typeof decompressInput;
} = { compressInput, decompressInput };
