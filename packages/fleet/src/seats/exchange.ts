/**
 * What a game server (node) and a balancer tell each other about seats, a few times a second: the node's report, and the
 * balancer's answer to it. The node owns its seats. It lends some of them, in blocks, to each balancer; a balancer takes
 * seats for players out of its blocks without asking anybody, and tells the node in its next answer.
 *
 * Each exchange says everything that still counts, so that it does not matter which of them are lost, doubled or late:
 * the newest report lists all blocks that are lent, an answer tells all seats of which the node has not confirmed to have
 * heard. What is older than the newest that was heard is dropped.
 *
 * Assumed: the clocks of all processes run equally fast (not: show the same time), and go on while a process is stopped. A
 * machine that is suspended as a whole may break that; the node then still seats nobody twice (see `SeatLedger`).
 */

/**
 * How long a balancer may take seats out of its blocks, counted from when it sent the answer whose `turn` the report echoes.
 * The node got that answer later, and counts from then: its own time can only end later, however long anything was on the way.
 */
export const LEASE_MS = 2000;

/** A player is answered at most so long after the lease ended under which the seat was taken, or not at all. */
export const CLAIM_MS = 500;

/** Of a block: it has as many bits as a mask. */
export const MAX_BLOCK_SEATS = 32;

/** Blocks that a node lends to one balancer at the same time. */
export const MAX_GRANTS = 64;

/** Node to balancer. */
export interface SeatReport {
  /** Of the node's process: a random number, below 2^53. */
  readonly epoch: number;
  /** Counts the reports to this balancer, from 1. */
  readonly report: number;
  /** Of the newest answer that the node took in: all seats that it told are confirmed by this. 0 and 0: none yet. */
  readonly session: number;
  readonly turn: number;
  /** All blocks that are lent to this balancer, in the order of their numbers. From others it takes nothing any more. */
  readonly grants: readonly Grant[];
}

export interface Grant {
  /** Counts the blocks of the node's process: no number is used twice. */
  readonly block: number;
  /** When it was lent, 1 to 32: seats `block * 32` to `block * 32 + seats - 1`. */
  readonly seats: number;
}

/** Balancer to node. */
export interface SeatAnswer {
  /** Of what this balancer knows of the node, from nothing on: another one when it has forgotten, as after a restart. */
  readonly session: number;
  /** Echo: whom this is for. */
  readonly epoch: number;
  /** The newest report that was taken in: only from blocks that it lists are seats taken from now on. */
  readonly report: number;
  /** Counts the answers of the session, from 1. */
  readonly turn: number;
  /** Seats that were taken, also by other balancers whose copies this one holds, and not yet confirmed; the oldest first. */
  readonly taken: readonly TakenSeat[];
  /** There was more to tell than fits. */
  readonly more: boolean;
  /** Free seats that this balancer would like to have in its blocks. */
  readonly wanted: number;
  /** A group waits for so many at once: fewer are of no use to it. Default 0. */
  readonly group?: number;
  /** It knows no other balancer that is alive: once the node has confirmed to know that, it answers players without a copy elsewhere. */
  readonly alone: boolean;
  /** A player waits for the node to confirm this answer: it is to report at once, not when the time has come. Default false. */
  readonly reportNow?: boolean;
}

export interface TakenSeat {
  readonly seat: number;
  /** Of the allocation. */
  readonly key: string;
  /** Who will come. */
  readonly clientId: string;
  /** How much longer to keep it; 0: it was given back. */
  readonly ttlMs: number;
}

export function blockOfSeat(seat: number): number {
  return Math.floor(seat / MAX_BLOCK_SEATS);
}

export function bitOfSeat(seat: number): number {
  return seat % MAX_BLOCK_SEATS;
}

/** The mask of a block of 1 to 32 seats that are all there. */
export function fullMask(seats: number): number {
  return seats >= MAX_BLOCK_SEATS ? -1 : (1 << seats) - 1;
}

/** How many seats a mask has. */
export function countSeats(mask: number): number {
  let n = mask - ((mask >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
