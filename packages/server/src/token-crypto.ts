/** The cryptography with which this process makes connect tokens. */

import { randomBytes } from "node:crypto";
import type { Crypto } from "@riposte/protocol";
import { nobleCrypto } from "@riposte/protocol/netcode";

export const tokenCrypto: Crypto = nobleCrypto((length) => new Uint8Array(randomBytes(length)));
