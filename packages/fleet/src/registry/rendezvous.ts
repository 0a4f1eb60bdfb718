/** Rendezvous hashing (Thaler and Ravishankar, 1998): everybody who knows the same names comes to the same order. */

/** `names` by their rank for `key`, the first first. A name that goes leaves the order of the others as it was. */
export function rankOf(key: string, names: readonly string[]): readonly string[] {
  return names
    .map((name) => ({ name, weight: hash(`${name}\0${key}`) }))
    .sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** FNV-1a over UTF-16 units, with Murmur3's last mix: well spread, 32 bits. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
