/** 2020-01-01, so that revisions stay whole numbers until 2089. */
const EPOCH_MS = 1_577_836_800_000;
/** Changes a millisecond that a store may make, on average over its life. */
const CHANGES_PER_MS = 4096;

/**
 * Where a new store begins to count. By the wall clock: a store that was lost and made anew gives no revision again that
 * somebody may still remember.
 */
export function firstRevision(): number {
  return Math.max(Date.now() - EPOCH_MS, 0) * CHANGES_PER_MS;
}
