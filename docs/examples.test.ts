// The code in docs/*.md: every `ts` block must type-check as it stands, and those marked `ts run` must run.
// A block that begins with `// name.ts` is a file that other blocks may import; game.ts is the README's. What a
// fragment takes for granted (its own `draw`, its shop) is declared in a comment above it, which readers do not see:
// <!-- given ... -->. Also here: the table of pages, links, and that each page has a picture and an example.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const pages = [
  ...pagesOf(import.meta.dirname),
  ...pagesOf(join(import.meta.dirname, "protocol")),
  join(root, "README.md"),
  join(root, "CONTRIBUTING.md"),
];
const concepts = pagesOf(import.meta.dirname).filter((page) => !/(?:README|dependencies)\.md$/.test(page));

interface Example {
  readonly file: string;
  readonly code: string;
  /** Where it stands. */
  readonly source: string;
  readonly runs: boolean;
}

describe("the code in the documentation", () => {
  const examples = pages.filter((page) => page.includes("docs")).flatMap(examplesOf);
  let folder = "";

  before(() => {
    mkdirSync(join(root, "build"), { recursive: true });
    folder = mkdtempSync(join(root, "build", "docs-"));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(userTsconfig));
    writeFileSync(join(folder, "game.ts"), readmeGame());
    for (const { file, code } of examples) {
      assert.ok(!existsSync(join(folder, file)), `two blocks are called ${file}`);
      writeFileSync(join(folder, file), code);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("type-checks", { timeout: 120_000 }, async () => {
    assert.ok(examples.length >= 25, `${examples.length} blocks`);
    const problems = await run(join(root, "node_modules/.bin/tsc"), ["-p", folder, "--pretty", "false"]).then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
    const where = (_all: string, file: string, line: string): string => {
      const example = examples.find((candidate) => file.endsWith(candidate.file));
      return `${example?.source ?? file}, line ${line} of ${file}`;
    };
    assert.equal(problems.replaceAll(/^(\S+\.ts)\((\d+),\d+\)/gm, where), "");
  });

  for (const { file, source } of examples.filter(({ runs }) => runs)) {
    it(`runs: ${source}`, { timeout: 30_000 }, async () => {
      const { stderr } = await run(process.execPath, [file], { cwd: folder, timeout: 25_000 });
      // Where nothing compiles the datapath's addon, one line says so.
      assert.equal(stderr.replace(/^riposte: no native datapath.*\n/, ""), "");
    });
  }
});

describe("the pages", () => {
  it("are all in the table", () => {
    const table = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
    for (const page of pages) {
      const path = relative(import.meta.dirname, page);
      if (!path.startsWith("..") && path !== "README.md") assert.ok(table.includes(`(${path})`), `${path} is missing`);
    }
  });

  it("have a picture and an example each", () => {
    for (const page of concepts) {
      const text = readFileSync(page, "utf8");
      assert.match(text, /^```(?:mermaid|text)?$|^!\[/m, `${page} has no picture`);
      assert.match(text, /^```(?:ts|sh)\b/m, `${page} has no example`);
    }
  });

  it("link to what exists", () => {
    for (const page of pages) {
      const text = readFileSync(page, "utf8").replaceAll(/^```.*?^```/gms, "");
      for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path, anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        assert.ok(existsSync(file), `${relative(root, page)} links to ${target}`);
        if (anchor === undefined) continue;
        const anchors = Array.from(readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm), ([, title]) => slug(title));
        assert.ok(anchors.includes(anchor), `${relative(root, page)} links to ${target}`);
      }
    }
  });
});

/** A user's settings, as strict as they get. */
const userTsconfig = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable", "dom", "dom.iterable"],
    module: "nodenext",
    moduleDetection: "force",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
  },
  include: ["*.ts"],
};

function pagesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(page, "utf8");
  const name = relative(import.meta.dirname, page)
    .replace(/\.md$/, "")
    .replaceAll("/", "-");
  const blocks = text.matchAll(/(?:^<!-- given\n(.*?)^-->\n+)?^```ts( run)?\n(.*?)^```/gms);
  return Array.from(blocks, ([whole, given = "", runs, code], i): Example => {
    const line = text.slice(0, text.indexOf(whole)).split("\n").length;
    const file = /^\/\/ ([\w-]+\.ts)\b/.exec(code)?.[1] ?? `${name}-${i + 1}.ts`;
    return { file, code: given + code, source: `${relative(root, page)}:${line}`, runs: runs !== undefined };
  });
}

function readmeGame(): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const code = /^\*\*game\.ts\*\*[^\n]*\n+```ts\n(.*?)^```/ms.exec(readme)?.[1];
  assert.ok(code !== undefined, "README.md has no game.ts");
  return code;
}

/** A heading's anchor, as GitHub makes it. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
