/**
 * How far ahead of the simulation a client may send its inputs.
 *
 * The server commands a lead by telling every client the depth of its buffer: a client keeps just so much in stock that
 * nearly every input arrives in time (docs/time.md). So of an honest client the stock is below the commanded lead at least
 * now and then, however unsteady its link is. A client whose stock never is runs ahead without need: that stretches
 * its latency, and with it the past that its shots are judged in. Each of its inputs beyond the lead then takes one from
 * its bank, and with the bank empty it is refused. What was heard counts as stock whether it was refused or not, so
 * a client gets out of it only by coming back.
 */
export interface LeadBankOptions {
  /** The commanded lead: inputs that are not farther ahead are always taken. */
  readonly leadTicks: number;
  /** No input farther ahead is ever taken. */
  readonly maxLeadTicks: number;
  /** Input ticks in a full bank. */
  readonly bankTicks: number;
  /** Time over which the stock is watched. */
  readonly windowTicks: number;
}

export class LeadBank {
  /** Input ticks left. */
  credit: number;
  /** Inputs refused since the beginning. */
  refused = 0;
  readonly #options: LeadBankOptions;
  /** Of this window and the last one: ticks, and of these with a stock within the lead. */
  #ticks = 0;
  #within = 0;
  #lastTicks = 0;
  #lastWithin = 0;

  constructor(options: LeadBankOptions) {
    this.#options = options;
    this.credit = options.bankTicks;
  }

  /** A tick is simulated; the newest input heard of is `stock` ticks ahead of it. */
  tick(stock: number): void {
    const { leadTicks, windowTicks, bankTicks } = this.#options;
    this.#ticks++;
    if (stock <= leadTicks) this.#within++;
    if (this.#ticks >= windowTicks) {
      this.#lastTicks = this.#ticks;
      this.#lastWithin = this.#within;
      this.#ticks = this.#within = 0;
    }
    if (this.credit < bankTicks && !this.isAhead) this.credit = Math.min(bankTicks, this.credit + PAY_BACK);
  }

  /** Whether the client runs ahead without need. Known after one window. */
  get isAhead(): boolean {
    return this.#lastTicks > 0 && this.#within + this.#lastWithin < (this.#ticks + this.#lastTicks) * WITHIN;
  }

  /** Whether an input that is `lead` ticks ahead is taken. */
  take(lead: number): boolean {
    const { leadTicks, maxLeadTicks } = this.#options;
    if (lead <= leadTicks) return true;
    if (lead <= maxLeadTicks) {
      if (!this.isAhead) return true;
      if (this.credit >= 1) {
        this.credit--;
        return true;
      }
    }
    this.refused++;
    return false;
  }

  reset(): void {
    this.#ticks = this.#within = this.#lastTicks = this.#lastWithin = 0;
    this.credit = this.#options.bankTicks;
  }
}

/** Part of the ticks in which an honest client's stock is within the lead: half of what its clock aims at. */
const WITHIN = 0.02;
/** Input ticks that come back with each tick. */
const PAY_BACK = 1 / 20;
