// The system programs that tests use as real peers, by name, and where Debian has them.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** @type {ReadonlyArray<{ name: string, debianPackage: string }>} */
export const peers = [
  { name: "chromium", debianPackage: "chromium" },
  { name: "firefox-esr", debianPackage: "firefox-esr" },
  { name: "etcd", debianPackage: "etcd-server" },
  { name: "prometheus", debianPackage: "prometheus" },
  { name: "promtool", debianPackage: "prometheus" },
  { name: "openssl", debianPackage: "openssl" },
  { name: "haproxy", debianPackage: "haproxy" },
];

/**
 * The path of a peer's program, or undefined when the machine has none.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findPeer(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/**
 * For tests: the path of a peer's program, or a reason to skip. With CI=true a missing peer is an error.
 * @param {string} name
 * @returns {{ path: string, skip: false } | { path: "", skip: string }}
 */
export function peerOrSkip(name) {
  const path = findPeer(name);
  if (path !== undefined) return { path, skip: false };
  const debianPackage = peers.find((peer) => peer.name === name)?.debianPackage ?? name;
  const reason = `${name} is not installed: sudo apt-get install ${debianPackage}`;
  if (process.env.CI === "true") throw new Error(reason);
  return { path: "", skip: reason };
}
