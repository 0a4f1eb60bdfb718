/** What an operator's token says of itself. It is not checked here: the balancer does that. */

export interface TokenFacts {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** Unix ms; not given: it does not say. */
  readonly expiresAt?: number;
}

/** `undefined`: it is no JWT. */
export function readToken(token: string): TokenFacts | undefined {
  const [, payload, signature] = token.split(".");
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const { sub, exp, scope, scopes } = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<
      Record<string, unknown>
    >;
    const list = typeof scope === "string" ? scope.split(" ") : Array.isArray(scopes) ? scopes : [];
    const facts = {
      subject: typeof sub === "string" ? sub : "",
      scopes: new Set(list.filter((each): each is string => typeof each === "string")),
    };
    return typeof exp === "number" ? { ...facts, expiresAt: exp * 1000 } : facts;
  } catch {
    return undefined;
  }
}
