/** What a file `src/<name>.bench.ts` exports as `bench`. */

export interface BenchResult {
  readonly figures: Readonly<Record<string, number>>;
  /** Figures should be below these. */
  readonly targets: Readonly<Record<string, number>>;
}

/** `note` tells a person how far it is; never on stdout. */
export type Bench = (note: (line: string) => void) => Promise<BenchResult>;
