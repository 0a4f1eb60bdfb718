import { open } from "node:fs/promises";

/** Bytes written at once. */
const CHUNK_BYTES = 64 * 1024;
/** Making pieces holds the event loop up for about so long, then others have their turn. */
const SLICE_MS = 2;

/** Writes a file from pieces, which are made as it goes, a few at a time. Returns how many bytes it has. */
export async function writePieces(path: string, pieces: Iterable<string>, now: () => number): Promise<number> {
  const file = await open(path, "w");
  let written = 0;
  try {
    for (const chunk of slices(pieces, now)) {
      // Waiting for the disk is what lets others go on.
      const bytes = Buffer.from(chunk, "utf8");
      await file.appendFile(bytes);
      written += bytes.length;
    }
  } finally {
    await file.close();
  }
  return written;
}

/** Pieces joined to chunks, each of which is small, or took little time to make. */
export function* slices(pieces: Iterable<string>, now: () => number): Generator<string, void, undefined> {
  let chunk = "";
  let until = now() + SLICE_MS;
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_BYTES && now() < until) continue;
    yield chunk;
    chunk = "";
    until = now() + SLICE_MS;
  }
  if (chunk !== "") yield chunk;
}
