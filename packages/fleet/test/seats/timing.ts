/** Shorter than the defaults, so that a whole life fits into a short run; in the same order. */
export const TOKEN_MS = 6000;
export const TTL_MS = 9000;
export const REMEMBER_MS = 12_000;
/** Players ask for so long. */
export const PATIENCE_MS = 9000;
export const QUEUE_PATIENCE_MS = 4000;
export const HEARTBEAT_MS = 250;
/** A balancer that was not heard for so long is taken as gone. */
export const PEER_TIMEOUT_MS = 1000;
export const CLAIM_TIMEOUT_MS = 200;
