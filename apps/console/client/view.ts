/** What the parts of the console have in common. */
import type { StatsReply } from "@riposte/fleet";
import type { Api } from "./api.ts";
import type { TokenFacts } from "./token.ts";

export interface ViewContext {
  readonly api: Api;
  readonly operator: TokenFacts;
}

export interface View {
  readonly element: HTMLElement;
  /** It has come into sight. */
  open(): void;
  /** Every 2 s while it is in sight. */
  update(stats: StatsReply): void;
}
