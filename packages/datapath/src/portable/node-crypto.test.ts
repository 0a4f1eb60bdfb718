import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCrypto } from "./node-crypto.ts";
import { hchacha20 } from "./hchacha20.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

test("HChaCha20: draft-irtf-cfrg-xchacha-03 section 2.2.1", () => {
  const key = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  const nonce = hex("000000090000004a0000000031415927");
  assert.deepEqual(hchacha20(key, nonce), hex("82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"));
});

test("XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03 appendix A.3.1", () => {
  const aead = nodeCrypto().xchacha20Poly1305;
  const text =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
  const plaintext = Uint8Array.from(Buffer.from(text));
  const aad = hex("50515253c0c1c2c3c4c5c6c7");
  const key = hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const nonce = hex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const buffer = new Uint8Array(plaintext.length + 26);
  buffer.set(plaintext, 10);
  aead.seal(key, nonce, aad, buffer, 10, plaintext.length);
  assert.deepEqual(
    buffer.subarray(10),
    hex(
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e" +
        "c0875924c1c7987947deafd8780acf49",
    ),
  );
  assert.equal(aead.open(key, nonce, aad, buffer, 10, plaintext.length + 16), true);
  assert.deepEqual(buffer.subarray(10, 10 + plaintext.length), plaintext);
});

test("forgeries and stumps are refused, not thrown", () => {
  const crypto = nodeCrypto();
  const { chacha20Poly1305 } = crypto;
  const key = crypto.randomBytes(32);
  const nonce = crypto.randomBytes(12);
  const buffer = new Uint8Array(100);
  chacha20Poly1305.seal(key, nonce, new Uint8Array(3), buffer, 0, 84);
  assert.equal(chacha20Poly1305.open(key, nonce, new Uint8Array(4), buffer, 0, 100), false);
  assert.equal(chacha20Poly1305.open(key, nonce, new Uint8Array(3), buffer, 0, 15), false);
  assert.equal(chacha20Poly1305.open(key, nonce, new Uint8Array(3), buffer, 0, 100), true);
  assert.throws(() => chacha20Poly1305.seal(key, nonce, new Uint8Array(3), buffer, 0, 85), /no room/);
  assert.notDeepEqual(crypto.randomBytes(16), crypto.randomBytes(16));
});
