/**
 * Proof of since when somebody waits, which any balancer takes. It is bound to the key, the filter and the size of the group that
 * it was given for, and good only for as long as a waiting player may be silent: it can be neither made up, nor moved in time,
 * nor passed on, nor saved for the next rush. Balancers take the time (Unix) from `FleetClock`: they agree to a few seconds.
 */
export interface QueueTicketOptions {
  /** A MAC of the text under the fleet's secret, in letters, digits, - and _: as HMAC-SHA256 in base64url. */
  readonly mac: (text: string) => string;
}

export interface TicketHolder {
  /** Idempotency key of the allocation. */
  readonly key: string;
  readonly filterKey: string;
  readonly seats: number;
}

/** Time that another balancer's clock may be ahead. */
const CLOCK_SLACK_MS = 5000;
const MAX_LENGTH = 256;

export class QueueTickets {
  readonly #mac: (text: string) => string;

  constructor(options: QueueTicketOptions) {
    this.#mac = options.mac;
  }

  /** Anew with each answer. Both times are Unix ms. */
  write(holder: TicketHolder, enqueuedAt: number, unixMs: number): string {
    const times = `${Math.floor(enqueuedAt).toString(36)}.${Math.floor(unixMs).toString(36)}`;
    return `${times}.${this.#mac(textOf(times, holder))}`;
  }

  /** Since when the holder waits; undefined: the ticket is not good, or not for this holder. */
  read(ticket: string, holder: TicketHolder, patienceMs: number, unixMs: number): number | undefined {
    if (ticket.length > MAX_LENGTH) return undefined;
    const match = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([\w-]+)$/.exec(ticket);
    if (match === null) return undefined;
    const [, enqueued, issued, mac] = match;
    if (!isEqual(mac, this.#mac(textOf(`${enqueued}.${issued}`, holder)))) return undefined;
    const silentMs = unixMs - Number.parseInt(issued, 36);
    if (silentMs > patienceMs || silentMs < -CLOCK_SLACK_MS) return undefined;
    return Number.parseInt(enqueued, 36);
  }
}

function textOf(times: string, { key, filterKey, seats }: TicketHolder): string {
  return `riposte ticket 1 ${JSON.stringify([times, seats, key, filterKey])}`;
}

/** Takes as long wherever they differ. */
function isEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
  return difference === 0;
}
