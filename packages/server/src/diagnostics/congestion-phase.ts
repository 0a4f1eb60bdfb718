/**
 * What a congestion controller is doing, by name. Algorithms that name their state (BBR) are believed. Of the others only
 * the window is seen: it is in slow start until it is first reduced, in recovery when reduced, and in congestion avoidance
 * once it grows again.
 */
export class CongestionPhase {
  /** As qlog writes it: "slow_start", "probe_bw_up". Empty before the first look. */
  name = "";
  algorithm = "";
  #windowBytes = 0;

  /** True when it has changed. */
  observe(algorithm: string, state: string, windowBytes: number): boolean {
    const before = this.name;
    const isOther = algorithm !== this.algorithm;
    if (state !== "") this.name = snakeCase(state);
    else if (isOther) this.name = "slow_start";
    else if (windowBytes < this.#windowBytes) this.name = "recovery";
    else if (windowBytes > this.#windowBytes && this.name === "recovery") this.name = "congestion_avoidance";
    this.algorithm = algorithm;
    this.#windowBytes = windowBytes;
    return isOther || this.name !== before;
  }
}

function snakeCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
