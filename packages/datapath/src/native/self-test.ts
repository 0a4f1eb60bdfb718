/**
 * Whether the addon does right in this process: published vectors through the very calls that packets
 * take, since OpenSSL and libuv are those of whichever Node runs it.
 */
import { CIPHER_NAMES } from "../ciphers.ts";
import type { CipherName } from "../ciphers.ts";
import { PacketBatch } from "../packet-batch.ts";
import type { NativeAddon, NativeProtection } from "./addon.ts";

interface AeadVector {
  readonly source: string;
  readonly cipher: CipherName;
  readonly key: string;
  readonly iv: string;
  readonly headerKey?: string;
  readonly aadPrefix: string;
  /** Associated data in the packet. */
  readonly header: string;
  readonly packetNumber: number;
  readonly plaintext: string;
  readonly sealed: string;
}

const GCM_TEXT =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const GCM_AAD = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

const AEADS: readonly AeadVector[] = [
  {
    source: "The Galois/Counter Mode of Operation, test case 4",
    cipher: "aes-128-gcm",
    key: "feffe9928665731c6d6a8f9467308308",
    iv: "cafebabefacedbaddecaf888",
    aadPrefix: GCM_AAD,
    header: "",
    packetNumber: 0,
    plaintext: GCM_TEXT,
    sealed:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
  },
  {
    source: "The Galois/Counter Mode of Operation, test case 16",
    cipher: "aes-256-gcm",
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    iv: "cafebabefacedbaddecaf888",
    aadPrefix: GCM_AAD,
    header: "",
    packetNumber: 0,
    plaintext: GCM_TEXT,
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  },
  {
    source: "RFC 9001 appendix A.5, with header protection",
    cipher: "chacha20-poly1305",
    key: "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
    iv: "e0459b3474bdd0e44a41c144",
    headerKey: "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
    aadPrefix: "",
    header: "4200bff4",
    packetNumber: 654_360_564,
    plaintext: "01",
    sealed: "4cfe4189655e5cd55c41f69080575d7999c25a5bfb",
  },
];

interface EcbVector {
  readonly source: string;
  readonly cipher: CipherName;
  readonly key: string;
}

/** FIPS 197: the block 00112233445566778899aabbccddeeff under keys that count up. */
const ECBS: readonly (EcbVector & { readonly encrypted: string })[] = [
  {
    source: "FIPS 197 appendix C.1",
    cipher: "aes-128-gcm",
    key: "000102030405060708090a0b0c0d0e0f",
    encrypted: "69c4e0d86a",
  },
  {
    source: "FIPS 197 appendix C.3",
    cipher: "aes-256-gcm",
    key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    encrypted: "8ea2b7ca51",
  },
];

/** What the addon got wrong; undefined when all is well. */
export function selfTest(addon: NativeAddon): string | undefined {
  const poll = addon.pollSelfTest();
  if (poll !== undefined) return poll;
  const protection = new addon.PacketProtection();
  return (
    AEADS.find((vector) => !isRight(protection, vector))?.source ??
    ECBS.find((vector) => !isMasked(protection, vector))?.source
  );
}

function isRight(protection: NativeProtection, vector: AeadVector): boolean {
  const header = bytes(vector.header);
  const handle = protection.addKey(
    bytes(vector.key),
    bytes(vector.aadPrefix),
    CIPHER_NAMES.indexOf(vector.cipher),
    bytes(vector.iv),
    vector.headerKey === undefined ? undefined : bytes(vector.headerKey),
  );
  const batch = new PacketBatch(1, 128);
  put(batch, vector.header + vector.plaintext, handle, header.length);
  batch.packetNumber[0] = vector.packetNumber;
  protection.seal(batch.buffer, batch.descriptors, 1);
  const sealed = text(batch);
  if (vector.headerKey !== undefined) {
    batch.key[0] = handle;
    // The packet number of these vectors has three bytes.
    batch.headerLength[0] = header.length - 3;
    protection.unprotect(batch.buffer, batch.descriptors, 1);
  }
  batch.key[0] = handle;
  batch.packetNumber[0] = vector.packetNumber;
  protection.open(batch.buffer, batch.descriptors, 1);
  const opened = text(batch);
  protection.releaseKey(handle);
  return sealed === vector.sealed && opened === vector.header + vector.plaintext && batch.opened[0] === 1;
}

/** A short header whose five hidden bytes are zero shows the mask, but for the three bits that are not hidden. */
function isMasked(protection: NativeProtection, vector: EcbVector & { readonly encrypted: string }): boolean {
  const key = bytes(vector.key);
  const handle = protection.addKey(key, new Uint8Array(), CIPHER_NAMES.indexOf(vector.cipher), undefined, key);
  const batch = new PacketBatch(1, 64);
  put(batch, "000000000000112233445566778899aabbccddeeff", handle, 1);
  protection.unprotect(batch.buffer, batch.descriptors, 1);
  protection.releaseKey(handle);
  const mask = bytes(vector.encrypted);
  const numberLength = (mask[0] & 3) + 1;
  return (
    batch.buffer[0] === (mask[0] & 0x1f) &&
    mask.subarray(1, 1 + numberLength).every((byte, i) => batch.buffer[1 + i] === byte)
  );
}

function put(batch: PacketBatch, packet: string, key: number, headerLength: number): void {
  const content = bytes(packet);
  batch.append(content, 0, content.length, -1);
  batch.key[0] = key;
  batch.headerLength[0] = headerLength;
  batch.aadLength[0] = headerLength;
}

function text(batch: PacketBatch): string {
  return Buffer.from(batch.buffer.subarray(batch.offset[0], batch.offset[0] + batch.length[0])).toString("hex");
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
