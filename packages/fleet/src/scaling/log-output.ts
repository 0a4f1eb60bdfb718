/** A process' output, line by line, within limits. */
import type { Readable } from "node:stream";

const MAX_LINE_CHARS = 4096;
/** Of one process, in a second; the rest is counted. */
const MAX_LINES_PER_SEC = 100;

export function logOutput(stream: Readable, log: (line: string) => void): void {
  const limit = { since: 0, lines: 0, left: 0 };
  let rest = "";
  const say = (line: string): void => {
    const now = performance.now();
    if (now - limit.since >= 1000) {
      if (limit.left > 0) log(`(${limit.left} lines left out)`);
      Object.assign(limit, { since: now, lines: 0, left: 0 });
    }
    if (++limit.lines > MAX_LINES_PER_SEC) limit.left++;
    else log(line.slice(0, MAX_LINE_CHARS));
  };
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(0, MAX_LINE_CHARS);
    for (const line of lines) say(line);
  });
  stream.on("end", () => {
    if (rest !== "") say(rest);
    if (limit.left > 0) log(`(${limit.left} lines left out)`);
  });
  stream.on("error", () => undefined);
}
