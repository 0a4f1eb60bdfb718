/** Addresses that belong to no place: IANA's special-purpose registries (RFC 6890), multicast, and IPv6 that is not global unicast. */
import { IpAddress } from "./ip-address.ts";
import { PrefixTable } from "./prefix-table.ts";

/** Whether it is one that a host on the internet can have. */
export function isPublicAddress(address: IpAddress): boolean {
  return kinds.find(address) === "public";
}

const PUBLIC = ["0.0.0.0/0", "2000::/3"];
const SPECIAL = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "2001:2::/48",
  "2001:10::/28",
  "2001:20::/28",
  "2001:db8::/32",
  "3fff::/20",
];

const kinds = new PrefixTable<"public" | "special">();
const address = new IpAddress();
for (const prefix of PUBLIC) kinds.add(address, address.parsePrefix(prefix), "public");
for (const prefix of SPECIAL) kinds.add(address, address.parsePrefix(prefix), "special");
