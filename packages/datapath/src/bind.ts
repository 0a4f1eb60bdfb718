import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

export const DEFAULT_BUFFER_BYTES: number = 4 * 1024 * 1024;
const NO_IPV6 = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EPROTONOSUPPORT"]);

/** Binds `host`, resolved when it is a name; without one every address of both families, or of IPv4 where IPv6 is missing. */
export async function bindAnyFamily<Bound>(
  host: string | undefined,
  bind: (address: string) => Promise<Bound>,
): Promise<Bound> {
  if (host !== undefined) return bind(isIP(host) === 0 ? (await lookup(host)).address : host);
  try {
    return await bind("::");
  } catch (error) {
    if (!NO_IPV6.has(errorCode(error))) throw error;
    return bind("0.0.0.0");
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
