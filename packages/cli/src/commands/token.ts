/** `riposte token`: a token for an operator, a tool or a matchmaker, signed with the operator secret. */
import { userInfo } from "node:os";
import { signOperatorToken } from "@riposte/fleet";
import type { Scope } from "@riposte/fleet";
import { CommandError } from "../command-error.ts";
import { OPERATOR_AUDIENCE, OPERATOR_ISSUER, readSecret } from "../secrets.ts";

export interface TokenCommandOptions {
  readonly operatorSecret?: string;
  readonly subject?: string;
  readonly scope: readonly string[];
  readonly lifetime: string;
  readonly json: boolean;
}

const OPERATOR_SCOPES: readonly Scope[] = ["fleet:read", "fleet:write", "config:write"];
const SCOPES: readonly Scope[] = [...OPERATOR_SCOPES, "allocate"];
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MAX_SECONDS = 366 * 86_400;

/** What is to be printed. */
export async function makeToken(options: TokenCommandOptions): Promise<string> {
  const { operatorSecret, json } = options;
  if (operatorSecret === undefined)
    throw new CommandError(
      "usage",
      "--operator-secret is missing: the one that balancers have, or set RIPOSTE_OPERATOR_SECRET",
    );
  const subject = options.subject ?? userInfo().username;
  const scopes = scopesOf(options.scope);
  const lifetimeSeconds = secondsOf(options.lifetime);
  const wallNow = Date.now();
  const token = await signOperatorToken({
    issuer: OPERATOR_ISSUER,
    audience: OPERATOR_AUDIENCE,
    secret: readSecret(operatorSecret, "--operator-secret"),
    subject,
    scopes,
    lifetimeSeconds,
    wallNow,
  });
  if (!json) return token;
  const expiresAt = new Date(wallNow + lifetimeSeconds * 1000).toISOString();
  return JSON.stringify({ token, subject, scopes, expiresAt });
}

function scopesOf(names: readonly string[]): readonly Scope[] {
  const wanted = names.flatMap((name) => name.split(","));
  const scopes = new Set<Scope>();
  for (const name of wanted) {
    const known = SCOPES.find((scope) => scope === name);
    if (name === "all") for (const scope of OPERATOR_SCOPES) scopes.add(scope);
    else if (known !== undefined) scopes.add(known);
    else throw new CommandError("usage", `--scope ${name} is none: give ${SCOPES.join(", ")}, or all`);
  }
  return Array.from(scopes);
}

function secondsOf(text: string): number {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * UNIT_SECONDS[unit];
  if (!(seconds > 0 && seconds <= MAX_SECONDS))
    throw new CommandError("usage", `--lifetime ${text}: give 30m, 8h or 7d, at most 366d`);
  return seconds;
}
