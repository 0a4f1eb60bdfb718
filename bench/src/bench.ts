/** What a file `src/<name>.bench.ts` exports as `bench`. */

export interface BenchResult {
  readonly figures: Readonly<Record<string, number>>;
  /** Figures should be below these. */
  readonly targets: Readonly<Record<string, number>>;
  /** And these above. */
  readonly floors?: Readonly<Record<string, number>>;
  /** By figure, how far its rounds lay apart, by its value. */
  readonly spreads?: Readonly<Record<string, number>>;
  /** Lines for a person, above the figures. */
  readonly details?: readonly string[];
}

interface BenchOptions {
  /** Everything, however long it takes; by default at most 45 s. */
  readonly full: boolean;
}

/** `note` tells a person how far it is; never on stdout. */
export type Bench = (note: (line: string) => void, options: BenchOptions) => Promise<BenchResult>;
