/** Secrets as they are written on a command line, and what operators' tokens must say. */

export const OPERATOR_ISSUER = "riposte-operators";
export const OPERATOR_AUDIENCE = "riposte-balancer";

/** Throws `RangeError` that says what to do. */
export function readSecret(hex: string, option: string): Uint8Array {
  const bytes = Buffer.from(hex, "hex");
  if (bytes.length < 32 || bytes.length * 2 !== hex.length)
    throw new RangeError(`${option} must be 32 bytes or more in hex, as openssl rand -hex 32 gives`);
  return bytes;
}
