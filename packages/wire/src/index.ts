export { NEW_MODEL } from "./bit-model.ts";
export { BitReader } from "./bit-reader.ts";
export { BitWriter } from "./bit-writer.ts";
export { ByteCopier, copyBytes } from "./byte-copier.ts";
export { ByteReader } from "./byte-reader.ts";
export { ByteWriter, varintLength } from "./byte-writer.ts";
export { RangeDecoder } from "./range-decoder.ts";
export { RangeEncoder } from "./range-encoder.ts";
export { decodeUtf8, encodeUtf8, utf8Length } from "./utf8.ts";
