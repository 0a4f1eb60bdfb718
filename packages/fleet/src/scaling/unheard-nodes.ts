/**
 * Asks the driver, every few seconds, about its nodes that are lost or have not registered yet: one that has surely ended need
 * not be waited for.
 */
import { LOST } from "../registry/node-table.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { ScalingDriver } from "./scaling-driver.ts";

export interface UnheardNodesOptions {
  readonly table: NodeTable;
  readonly driver: Pick<ScalingDriver, "owns" | "hasEnded">;
  /** Nodes that have been started and have not registered. */
  readonly expected: () => readonly ExpectedNode[];
  readonly onEnded: (id: string, region: string) => void;
  readonly onError: (error: unknown) => void;
}

export interface ExpectedNode {
  readonly id: string;
  readonly region: string;
}

const LOOK_EVERY_MS = 5000;
/** Asked about at once; the others the next time. */
const MAX_ASKED = 64;

export class UnheardNodes {
  readonly #options: UnheardNodesOptions;
  readonly #asking: Set<string> = new Set();
  #dueAt = -Infinity;
  #from = 0;

  constructor(options: UnheardNodesOptions) {
    this.#options = options;
  }

  look(now: number): void {
    if (now < this.#dueAt) return;
    this.#dueAt = now + LOOK_EVERY_MS;
    const unheard = [...this.#options.expected(), ...this.#lost()];
    for (let i = 0; i < Math.min(MAX_ASKED, unheard.length); i++) {
      const node = unheard[(this.#from + i) % unheard.length];
      if (this.#asking.size < MAX_ASKED && !this.#asking.has(node.id)) void this.#ask(node);
    }
    this.#from += MAX_ASKED;
  }

  *#lost(): Iterable<ExpectedNode> {
    const { table, driver } = this.#options;
    for (let index = 0; index < table.end; index++) {
      if (table.state[index] !== LOST || !table.has(index)) continue;
      const { id, region } = table.registrationOf(index);
      if (driver.owns(id)) yield { id, region };
    }
  }

  async #ask({ id, region }: ExpectedNode): Promise<void> {
    const { driver, onEnded, onError } = this.#options;
    this.#asking.add(id);
    try {
      if (await driver.hasEnded(id)) onEnded(id, region);
    } catch (error) {
      onError(error);
    } finally {
      this.#asking.delete(id);
    }
  }
}
