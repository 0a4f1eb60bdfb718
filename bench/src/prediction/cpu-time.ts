/**
 * CPU time of this process so far, in microseconds: what other programs do meanwhile is not in it, what the garbage
 * collector and the compiler do is.
 */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
