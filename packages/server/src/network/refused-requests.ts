import type { NetcodeDrops } from "@riposte/protocol/netcode";

/** Datagrams that asked for admission and were refused before anybody was known to be behind them. */
export function refusedRequests(drops: NetcodeDrops): number {
  const { wrongVersion, wrongProtocol, tokenExpired, tokenForged, tokenMalformed, wrongServer, tokenReused } = drops;
  const { rateLimited, pendingFull, challengeForged } = drops;
  const bad = wrongVersion + wrongProtocol + tokenExpired + tokenForged + tokenMalformed + wrongServer + tokenReused;
  return bad + rateLimited + pendingFull + challengeForged;
}
