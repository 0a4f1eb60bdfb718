/** TLS with a shared key in place of certificates; records are protected by AES-128-GCM, as in most TLS connections. */
export const TLS = {
  psk: Buffer.alloc(32, 7),
  ciphers: "PSK-AES128-GCM-SHA256",
  // Shared keys by callback are TLS 1.2's.
  maxVersion: "TLSv1.2",
} as const;
