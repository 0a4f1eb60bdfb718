/** An IP address as words of bits, read from text without allocation: one record is used for many addresses. */

export class IpAddress {
  /** 4 or 6; 0: what was read is not an address. */
  version: 0 | 4 | 6 = 0;
  /** From the highest bit on; an IPv4 address is the first of them. */
  readonly words: Int32Array = new Int32Array(4);

  /**
   * Reads what `net.isIP` takes for an address; the zone of IPv6 (`%eth0`) is left out. IPv4 that is written or translated
   * as IPv6 (::ffff:0:0/96 of RFC 4291, 64:ff9b::/96 of RFC 6052) becomes IPv4. False: it is not an address.
   */
  parse(text: string): boolean {
    this.version = 0;
    if (text.length > MAX_LENGTH) return false;
    if (this.#parseV4(text, 0, text.length)) {
      this.words.fill(0, 1);
      this.version = 4;
    } else if (this.#parseV6(text)) {
      this.version = 6;
      if (this.#holdsV4()) this.setV4(this.words[3]);
    }
    return this.version !== 0;
  }

  /**
   * Reads a prefix, `10.0.0.0/8`, or an address alone. Returns its length in bits. Throws `RangeError` for anything else,
   * and where bits are set behind the length.
   */
  parsePrefix(text: string): number {
    const slash = text.indexOf("/");
    const address = slash < 0 ? text : text.slice(0, slash);
    if (!this.parse(address)) throw new RangeError(`not an IP prefix: ${text}`);
    const written = address.includes(":") ? 128 : 32;
    const bits = this.version === 4 ? 32 : 128;
    let length = written;
    if (slash >= 0) {
      const digits = text.slice(slash + 1);
      length = Number(digits);
      if (!/^\d{1,3}$/.test(digits) || length > written) throw new RangeError(`not an IP prefix: ${text}`);
    }
    length -= written - bits;
    if (length < 0) throw new RangeError(`part of it is IPv4, part is not: ${text}`);
    for (let i = length; i < bits; i++)
      if (this.bit(i) === 1) throw new RangeError(`${text} has bits set behind its length`);
    return length;
  }

  /** The bit at `index`, the highest is 0. */
  bit(index: number): number {
    return (this.words[index >>> 5] >>> (31 - (index & 31))) & 1;
  }

  setV4(word: number): void {
    this.version = 4;
    this.words[0] = word;
    this.words.fill(0, 1);
  }

  setV6(a: number, b: number, c: number, d: number): void {
    this.version = 6;
    this.words[0] = a;
    this.words[1] = b;
    this.words[2] = c;
    this.words[3] = d;
  }

  /** As text that `parse` takes; not the shortest. */
  toString(): string {
    const { words } = this;
    if (this.version === 4)
      return `${words[0] >>> 24}.${(words[0] >>> 16) & 255}.${(words[0] >>> 8) & 255}.${words[0] & 255}`;
    return Array.from(words, (word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(":");
  }

  #holdsV4(): boolean {
    const { words } = this;
    if (words[1] !== 0) return false;
    return words[0] === 0 ? words[2] === 0xffff : words[0] === 0x64ff9b && words[2] === 0;
  }

  /** Four decimal numbers into the first word. */
  #parseV4(text: string, from: number, to: number): boolean {
    let word = 0;
    let dots = 0;
    let value = 0;
    let digits = 0;
    for (let i = from; i < to; i++) {
      const code = text.charCodeAt(i);
      if (code === DOT) {
        if (digits === 0 || ++dots > 3) return false;
        word = (word << 8) | value;
        value = 0;
        digits = 0;
      } else {
        const digit = code - ZERO;
        // Leading zeros are octal to some and decimal to others.
        if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false;
        value = value * 10 + digit;
        digits++;
        if (value > 255) return false;
      }
    }
    if (dots !== 3 || digits === 0) return false;
    this.words[0] = (word << 8) | value;
    return true;
  }

  #parseV6(text: string): boolean {
    const zone = text.indexOf("%");
    if (zone === text.length - 1) return false;
    const end = zone < 0 ? text.length : zone;
    const { words } = this;
    words.fill(0);
    let groups = 0;
    let gap = -1;
    let i = 0;
    if (text.startsWith("::")) {
      gap = 0;
      i = 2;
    }
    while (i < end) {
      if (groups === 8) return false;
      let value = 0;
      const start = i;
      let code = 0;
      for (; i < end; i++) {
        code = text.charCodeAt(i);
        const digit = hexDigit(code);
        if (digit < 0) break;
        value = (value << 4) | digit;
      }
      if (i < end && code === DOT) return this.#endWithV4(text, start, end, groups, gap);
      if (i === start || i - start > 4) return false;
      words[groups >>> 1] |= value << ((groups & 1) === 0 ? 16 : 0);
      groups++;
      if (i === end) break;
      if (code !== COLON) return false;
      i++;
      if (i === end) return false;
      if (text.charCodeAt(i) === COLON) {
        if (gap >= 0) return false;
        gap = groups;
        i++;
      }
    }
    return this.#spread(groups, gap);
  }

  /** The last 32 bits written as IPv4, after `groups` groups. */
  #endWithV4(text: string, from: number, to: number, groups: number, gap: number): boolean {
    if (groups > 6) return false;
    const { words } = this;
    const first = words[0];
    if (!this.#parseV4(text, from, to)) return false;
    const tail = words[0];
    words[0] = first;
    words[groups >>> 1] |= (groups & 1) === 0 ? tail : tail >>> 16;
    if ((groups & 1) === 1) words[(groups >>> 1) + 1] = tail << 16;
    return this.#spread(groups + 2, gap);
  }

  /** Moves the groups behind `::` to the end. */
  #spread(groups: number, gap: number): boolean {
    if (gap < 0) return groups === 8;
    if (groups === 8) return false;
    const { words } = this;
    for (let k = 1; k <= groups - gap; k++) {
      const from = groups - k;
      const to = 8 - k;
      const fromShift = (from & 1) === 0 ? 16 : 0;
      const value = (words[from >>> 1] >>> fromShift) & 0xffff;
      words[from >>> 1] &= ~(0xffff << fromShift);
      words[to >>> 1] |= value << ((to & 1) === 0 ? 16 : 0);
    }
    return true;
  }
}

const ZERO = 48;
const DOT = 46;
const COLON = 58;
/** 45 characters of an address, and a zone. */
const MAX_LENGTH = 64;

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = (code | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}
