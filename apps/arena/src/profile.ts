/** What a player says of itself when it joins, in the token's user data: one byte of hue, then the name in UTF-8. */

export interface Profile {
  readonly name: string;
  /** Colour in half degrees, 0 to 179. */
  readonly hue: number;
}

/** As the schema has it. */
const NAME_BYTES = 16;

export function writeProfile(profile: Profile): Uint8Array {
  const name = new TextEncoder().encode(profile.name.trim());
  const bytes = new Uint8Array(2 + NAME_BYTES);
  bytes[0] = 1;
  bytes[1] = profile.hue;
  bytes.set(name.subarray(0, NAME_BYTES), 2);
  return bytes;
}

/** Never throws; who says nothing gets a name and a colour by seat. */
export function readProfile(bytes: Uint8Array, seat: number): Profile {
  if (bytes.length < 2 || bytes[0] !== 1) return { name: `Guest ${seat}`, hue: (seat * 67) % 180 };
  const end = bytes.subarray(2, 2 + NAME_BYTES).indexOf(0);
  const text = new TextDecoder().decode(bytes.subarray(2, end < 0 ? 2 + NAME_BYTES : 2 + end));
  // A name cut in the middle of a letter ends in a replacement character.
  const name = text.replaceAll(/[\p{C}\uFFFD]/gu, "").trim();
  return { name: name === "" ? `Guest ${seat}` : name, hue: bytes[1] % 180 };
}
