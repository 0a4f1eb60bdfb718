/** What diagnostics record, and how much of it they keep. */

export interface DiagnosticsOptions {
  /** Share of connections whose packets are recorded, 0 to 1; which ones follows from their ids and `seed`. Default 1. */
  readonly sampleConnections?: number;
  /** Of their packets, every n-th is recorded; losses all. Default 1. */
  readonly samplePackets?: number;
  /** Connections recorded at once, those that have ended and are kept included; ended ones make room first. Default 64. */
  readonly maxConnections?: number;
  /** Packets kept of each, rounded up to a power of two. Default 2,048. */
  readonly ringPackets?: number;
  /** Bytes kept of their payloads, of each. Default 262,144. */
  readonly ringBytes?: number;
  /** Events kept. Default 4,096. */
  readonly maxEvents?: number;
  /** Whether reports hold the clients' addresses. Default false. */
  readonly includeAddresses?: boolean;
  /** For the choice of connections. Default 1. */
  readonly seed?: number;
}

export function resolveDiagnosticsOptions(options: DiagnosticsOptions): Required<DiagnosticsOptions> {
  const { sampleConnections = 1, samplePackets = 1, maxConnections = 64, includeAddresses = false, seed = 1 } = options;
  const { ringPackets = 2048, ringBytes = 256 * 1024, maxEvents = 4096 } = options;
  if (!(sampleConnections >= 0 && sampleConnections <= 1)) {
    throw new RangeError(`sampleConnections must be from 0 to 1, got ${sampleConnections}`);
  }
  const counts = { samplePackets, maxConnections, ringPackets, ringBytes, maxEvents };
  for (const [name, value] of Object.entries(counts)) {
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`${name} must be an integer from 1, got ${value}`);
  }
  return { sampleConnections, includeAddresses, seed, ...counts };
}

/** Whether a connection is among the share: the same answer for the same id and seed. */
export function isSampled(connectionId: number, share: number, seed: number): boolean {
  if (share >= 1) return true;
  // The finalizer of MurmurHash3: neighbouring ids have nothing in common afterwards.
  let hash = Math.imul(connectionId ^ Math.imul(seed, 0x9e37_79b1), 0x85eb_ca6b);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) / 2 ** 32 < share;
}
