/** What the pictures are drawn from: the rows of the session's view, by the names of the game's schema. */

export interface DrawnPlayer {
  readonly id: number;
  readonly owner: number;
  readonly x: number;
  readonly y: number;
  readonly aim: number;
  readonly health: number;
  readonly dash: number;
  readonly shielded: boolean;
  readonly shots: number;
  readonly name: string;
  readonly hue: number;
}

export interface DrawnOrb {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly owner: number;
}
