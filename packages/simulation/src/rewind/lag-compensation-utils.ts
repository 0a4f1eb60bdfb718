/** The single functions of lag compensation that stand by themselves. */
import { favorAt } from "./fairness/favor-the-shooter.ts";
import { peekersAdvantageMs } from "./fairness/peekers-advantage.ts";
import { honestAgeMs, isTimestampValid } from "./timestamps/is-timestamp-valid.ts";

export const LagCompensationUtils: {
  readonly isTimestampValid: typeof isTimestampValid;
  readonly honestAgeMs: typeof honestAgeMs;
  readonly favorAt: typeof favorAt;
  readonly peekersAdvantageMs: typeof peekersAdvantageMs;
} = { isTimestampValid, honestAgeMs, favorAt, peekersAdvantageMs };
