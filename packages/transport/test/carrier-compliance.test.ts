import { describe, test } from "node:test";
import { carrierCompliance } from "../../testkit/src/index.ts";
import { openThreadHarness, openUdpHarness, openWebSocketHarness } from "./harness.ts";

const cases = [
  ...carrierCompliance("udp", openUdpHarness),
  ...carrierCompliance("websocket", openWebSocketHarness, { plainPeers: false }),
  ...carrierCompliance("udp in a network thread", () => openThreadHarness("udp")),
  ...carrierCompliance("websocket in a network thread", () => openThreadHarness("websocket"), { plainPeers: false }),
  ...carrierCompliance("udp in two network threads", () => openThreadHarness("udp", 2)),
  // The other family and the dual-stack socket: that it works at all.
  ...carrierCompliance("udp over IPv6", () => openUdpHarness("::1")).slice(0, 1),
];

// Real time: cases that wait for a timeout wait together.
describe("carriers on real sockets", { concurrency: 4 }, () => {
  for (const { name, run } of cases) test(name, run);
});
