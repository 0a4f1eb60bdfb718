/** How often an input is sent, so that it almost never gets lost altogether. */

import { log } from "../../math/index.ts";

export interface InputCopiesOptions {
  /** Part of the packets that get lost, as measured; 0 to 1. */
  readonly lossRate: number;
  /**
   * Packets that are lost in a row, on average, when one is. Default 1 / (1 - lossRate): what independent losses
   * give. A link that loses in bursts has more.
   */
  readonly meanBurstPackets?: number;
  /** Part of the inputs of which every copy may get lost. Default 1 in 10,000. */
  readonly aim?: number;
}

/** Copies that are sent when nothing is lost: the loss that begins must not be the loss of an input. */
export const MIN_COPIES = 3;
/** Most inputs in one message, hence most copies. */
export const MAX_COPIES = 32;

/**
 * In how many messages in a row each input should be: the fewest for which the probability that all of them get
 * lost is at most `aim`. That probability is `lossRate * q ** (copies - 1)`, where q is the chance that the packet
 * after a lost one is lost, too: 1 - 1 / meanBurstPackets, which is `lossRate` for independent losses.
 * From `MIN_COPIES` to `MAX_COPIES`.
 */
export function inputCopies({ lossRate, meanBurstPackets = 1, aim = 1e-4 }: InputCopiesOptions): number {
  if (!(lossRate > 0)) return MIN_COPIES;
  const next = Math.min(MOST_LOSS, Math.max(lossRate, 1 - 1 / Math.max(1, meanBurstPackets)));
  const copies = 1 + Math.ceil(log(aim / Math.min(lossRate, MOST_LOSS)) / log(next) - ROUNDING);
  return Math.min(MAX_COPIES, Math.max(MIN_COPIES, copies));
}

const MOST_LOSS = 0.99;
const ROUNDING = 1e-9;
