/** Why a command could not do what it was asked; its message says what to do, and its exit code tells programs. */

export const EXIT_CODES = {
  /** The balancer said no. */
  refused: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No balancer answered. */
  unreachable: 3,
} as const;

export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly exitCode: number;

  constructor(kind: keyof typeof EXIT_CODES, message: string) {
    super(message);
    this.exitCode = EXIT_CODES[kind];
  }
}
