import { preferredCipher } from "../ciphers.ts";
import type { Datapath } from "../datapath.ts";
import { loadAddon } from "./addon.ts";
import type { NativeAddon } from "./addon.ts";
import { NativePacketProtection } from "./native-packet-protection.ts";
import { NativeUdpSocket } from "./native-udp-socket.ts";
import { selfTest } from "./self-test.ts";

const DEFAULT_PATHS = 32_768;

/** Loads the addon and has it prove itself; throws why it cannot be used. */
export function loadNativeDatapath(): Datapath {
  const addon = loadAddon();
  const problem = selfTest(addon);
  if (problem !== undefined) throw new Error(`its self-test failed: ${problem}`);
  return createNativeDatapath(addon);
}

function createNativeDatapath(addon: NativeAddon): Datapath {
  return {
    name: "native",
    preferredCipher: preferredCipher(addon.hasAes()),
    createAddressTable: (capacity = DEFAULT_PATHS) => new addon.AddressTable(capacity),
    openUdpSocket: (options) => NativeUdpSocket.open(addon, options),
    createPacketProtection: () => new NativePacketProtection(addon),
  };
}
