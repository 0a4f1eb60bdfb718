/** Rows of text in aligned columns. */

/** Columns whose head begins with "#" are numbers and stand to the right. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumber = heads.map((head) => head.startsWith("#"));
  const lines = [heads.map((head) => head.replace(/^#/, "").toUpperCase()), ...rows];
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines
    .map((line) =>
      line
        .map((text, i) => (isNumber[i] ? text.padStart(widths[i]) : text.padEnd(widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.round((100 * part) / whole)} %` : "-";
}
