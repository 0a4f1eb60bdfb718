/** What fades by halves. */
import { exp } from "./exponential.ts";

/** What is left of 1 after so many half-lives. */
export function halved(halfLives: number): number {
  return exp(-Math.LN2 * halfLives);
}
