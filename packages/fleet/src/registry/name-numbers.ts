/**
 * Small numbers for names that many nodes share (versions, game modes, labels), so that routing compares numbers. A name is
 * held once for each node that has it; the number of a name that nobody holds is free for the next one.
 */
export class NameNumbers {
  readonly #numbers: Map<string, number> = new Map();
  readonly #names: string[] = [];
  readonly #holders: number[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#numbers.size;
  }

  /** -1: nobody has it. */
  numberOf(name: string): number {
    return this.#numbers.get(name) ?? -1;
  }

  hold(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) {
      this.#holders[known]++;
      return known;
    }
    const number = this.#free.pop() ?? this.#names.length;
    this.#numbers.set(name, number);
    this.#names[number] = name;
    this.#holders[number] = 1;
    return number;
  }

  release(number: number): void {
    if (--this.#holders[number] > 0) return;
    this.#numbers.delete(this.#names[number]);
    this.#names[number] = "";
    this.#free.push(number);
  }
}
