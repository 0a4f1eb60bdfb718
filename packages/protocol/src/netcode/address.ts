/**
 * Server addresses in connect tokens: numeric IPv4 or IPv6 with a port. Names are resolved before a
 * token is made.
 */
import type { ByteReader, ByteWriter } from "@riposte/wire";

export interface NetcodeAddress {
  readonly family: 4 | 6;
  /** Four bytes, or eight 16-bit groups. */
  readonly groups: readonly number[];
  readonly port: number;
}

/** Reads "127.0.0.1:40000" or "[::1]:40001"; without a port, the port is 0. `undefined` when it is neither. */
export function parseAddress(text: string): NetcodeAddress | undefined {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed !== null) return makeAddress(6, parseIpv6(bracketed[1]), bracketed[2]);
  if (text.indexOf(":") !== text.lastIndexOf(":")) return makeAddress(6, parseIpv6(text), undefined);
  const plain = /^([\d.]+)(?::(\d{1,5}))?$/.exec(text);
  return plain === null ? undefined : makeAddress(4, parseIpv4(plain[1]), plain[2]);
}

/** The text form, IPv6 as RFC 5952 wants it; with the port unless it is 0. */
export function formatAddress(address: NetcodeAddress): string {
  const { family, groups, port } = address;
  if (family === 4) return port === 0 ? groups.join(".") : `${groups.join(".")}:${port}`;
  const text = formatIpv6(groups);
  return port === 0 ? text : `[${text}]:${port}`;
}

export function addressesEqual(a: NetcodeAddress, b: NetcodeAddress): boolean {
  return a.family === b.family && a.port === b.port && a.groups.every((group, i) => group === b.groups[i]);
}

/** Takes an address as text or parsed; a `RangeError` names what is neither. */
export function toAddress(address: NetcodeAddress | string): NetcodeAddress {
  if (typeof address !== "string") return address;
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new RangeError(`expected a numeric address with a port, got "${address}"`);
  return parsed;
}

/** netcode's form: type 1 or 2, the address, the port, all little-endian. */
export function writeAddress(writer: ByteWriter, address: NetcodeAddress): void {
  writer.u8(address.family === 4 ? 1 : 2);
  for (const group of address.groups) {
    if (address.family === 4) writer.u8(group);
    else writer.u16(group);
  }
  writer.u16(address.port);
}

/** `undefined` when the type is not 1 or 2 or the window ends early. */
export function readAddress(reader: ByteReader): NetcodeAddress | undefined {
  const type = reader.u8();
  if (type !== 1 && type !== 2) return undefined;
  const groups: number[] = [];
  for (let i = 0; i < (type === 1 ? 4 : 8); i++) groups.push(type === 1 ? reader.u8() : reader.u16());
  const port = reader.u16();
  return reader.failed ? undefined : { family: type === 1 ? 4 : 6, groups, port };
}

function makeAddress(
  family: 4 | 6,
  groups: number[] | undefined,
  port: string | undefined,
): NetcodeAddress | undefined {
  const number = port === undefined ? 0 : Number(port);
  return groups === undefined || number > 65_535 ? undefined : { family, groups, port: number };
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const groups = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return groups.every((group) => group < 256) ? groups : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0], halves.length === 1);
  if (halves.length === 1) return head?.length === 8 ? head : undefined;
  const tail = parseGroups(halves[1], true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** Groups between colons; the last one may be a dotted IPv4 address where `last` says so. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const dotted = last && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (dotted === undefined) return undefined;
    groups.push(dotted[0] * 256 + dotted[1], dotted[2] * 256 + dotted[3]);
  }
  return groups;
}

function formatIpv6(groups: readonly number[]): string {
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) {
      best = i;
      bestLength = end - i;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(":");
  return `${hex.slice(0, best).join(":")}::${hex.slice(best + bestLength).join(":")}`;
}
