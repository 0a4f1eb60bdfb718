/**
 * Flows through one bottleneck, event by event, in virtual milliseconds: what congestion control is
 * measured in. Simplifying assumptions: one queue, propagation delay behind it and on the way back
 * only, no loss and no queue on the way back, no other traffic. The same seed gives the same run.
 */
import { Bottleneck } from "./bottleneck.ts";
import type { BottleneckOptions } from "./bottleneck.ts";
import { SimulatedFlow } from "./simulated-flow.ts";
import type { SimulatedFlowOptions } from "./simulated-flow.ts";

export class FlowSimulator {
  readonly link: Bottleneck;
  readonly flows: SimulatedFlow[];
  now: number;
  #measuredFrom: number;

  constructor(options: BottleneckOptions) {
    this.link = new Bottleneck(options);
    this.flows = [];
    this.now = 0;
    this.#measuredFrom = 0;
  }

  addFlow(options: SimulatedFlowOptions): SimulatedFlow {
    const flow = new SimulatedFlow(options, this.flows.length, this.link);
    this.flows.push(flow);
    return flow;
  }

  run(untilMs: number): void {
    const { link, flows } = this;
    for (;;) {
      let at = link.nextDepartureAt;
      let index = -1;
      for (let i = 0; i < flows.length; i++) {
        if (flows[i].nextAt >= at) continue;
        at = flows[i].nextAt;
        index = i;
      }
      if (at > untilMs) break;
      this.now = at;
      if (index >= 0) {
        flows[index].run(at);
        continue;
      }
      link.depart();
      flows[link.departedFlow].onDeparture(link.departedPacket, link.departedBytes, link.departedMarked, at);
    }
    this.now = untilMs;
  }

  /** Starts measuring anew. */
  resetStatistics(): void {
    this.link.resetStatistics();
    for (const flow of this.flows) flow.resetStatistics();
    this.#measuredFrom = this.now;
  }

  /** Share of the link's time in use since `resetStatistics`. */
  get utilisation(): number {
    return (this.link.servedBytes * 1000) / this.link.bytesPerSec / (this.now - this.#measuredFrom);
  }

  /** Lost packets by sent ones. */
  get retransmissionRate(): number {
    let lost = 0;
    let sent = 0;
    for (const flow of this.flows) {
      lost += flow.packetsLost;
      sent += flow.packetsSent;
    }
    return sent === 0 ? 0 : lost / sent;
  }

  /** Jain's index of what the flows got: 1 when all got the same, 1/n when one got it all. */
  get fairness(): number {
    return jainIndex(this.flows.map((flow) => flow.deliveredBytes));
  }
}

function jainIndex(shares: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
