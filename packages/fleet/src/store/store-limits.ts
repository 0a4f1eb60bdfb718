/** What both stores check of every call, so that nothing works with one and not with the other. */

const MAX_KEY_LENGTH = 512;
/** etcd takes requests of 1.5 MiB. */
const MAX_VALUE_BYTES = 1024 * 1024;
const MIN_LEASE_MS = 100;
const MAX_LEASE_MS = 24 * 3600 * 1000;

export function checkKey(key: string): void {
  if (!/^[A-Za-z0-9][\x21-\x7e]*$/.test(key) || key.length > MAX_KEY_LENGTH)
    throw new RangeError(
      `key must be 1 to ${MAX_KEY_LENGTH} printable ASCII characters, the first a letter or a digit, not ${JSON.stringify(key.slice(0, 64))}`,
    );
}

/** An empty one stands for all keys. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "") checkKey(prefix);
}

export function checkValue(value: string): void {
  if (!value.isWellFormed()) throw new RangeError("value must be well-formed Unicode");
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_VALUE_BYTES) throw new RangeError(`value must have at most ${MAX_VALUE_BYTES} bytes, not ${bytes}`);
}

export function checkLease(leaseMs: number): void {
  if (!(leaseMs >= MIN_LEASE_MS && leaseMs <= MAX_LEASE_MS))
    throw new RangeError(`leaseMs must be from ${MIN_LEASE_MS} to ${MAX_LEASE_MS}, not ${leaseMs}`);
}

export function checkRevision(revision: number): void {
  if (!Number.isSafeInteger(revision) || revision < 0)
    throw new RangeError(`ifRevision must be a whole number from 0, not ${revision}`);
}
