/** JSON of whatever somebody hands over: `bigint`s become strings, what is no JSON null. Throws for circles. */
export function toJson(value: unknown, indent?: number): string {
  return stringify(value, indent) ?? "null";
}

function stringify(value: unknown, indent: number | undefined): string | undefined {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner), indent);
}
