import { expect } from "chai";
import { applyPatch, parseDiff } from "../../../src/mutation/diff.ts";
import { BadInputError } from "../../../src/simulation/errors.ts";

const DIFF = `mutant: Three is skipped.

--- a/contracts/A.sol
+++ b/contracts/A.sol
@@ -2,3 +2,2 @@ contract A {
 two
-three
 four
@@ -7,2 +6,3 @@
 seven
+between
 eight
`;
const LINES = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
const CHANGED = ["one", "two", "four", "five", "six", "seven", "between", "eight"];

function applied(lines: readonly string[], diff = DIFF): string[] {
  const [patch] = parseDiff(diff, "m.diff");
  return applyPatch(lines.join("\n"), patch!, "m.diff").split("\n");
}

describe("Diffs of mutants", () => {
  it("are read file by file", () => {
    const two = `${DIFF}--- a/contracts/B.sol\n+++ b/contracts/B.sol\n@@ -1 +1 @@\n-a\n+b\n`;
    const patches = parseDiff(two, "m.diff");
    expect(patches.map(({ path, hunks }) => [path, hunks.length])).to.deep.equal([
      ["contracts/A.sol", 2],
      ["contracts/B.sol", 1],
    ]);
  });

  it("change what they say", () => {
    expect(applied(LINES)).to.deep.equal(CHANGED);
  });

  it("find their place when lines above have come, gone or moved", () => {
    expect(applied(["zero", "zero", ...LINES])).to.deep.equal(["zero", "zero", ...CHANGED]);
    expect(applied(LINES.slice(1))).to.deep.equal(CHANGED.slice(1));
    const wider = [...LINES.slice(0, 5), "new", "new", ...LINES.slice(5)];
    expect(applied(wider)).to.include.members(["between", "new"]).and.not.include("three");
  });

  it("find their place whatever the indentation", () => {
    expect(applied(LINES.map((line) => `    ${line}`)))
      .to.include("two")
      .and.not.include("    three");
  });

  it("change the nearest of several equal places", () => {
    const diff = "--- a/A\n+++ b/contracts/A.sol\n@@ -4,1 +4,1 @@\n-same\n+other\n";
    expect(applied(["same", "x", "x", "x", "same", "x"], diff)).to.deep.equal([
      "same",
      "x",
      "x",
      "x",
      "other",
      "x",
    ]);
  });

  it("are refused by name where a line has changed", () => {
    const moved = LINES.map((line) => (line === "three" ? "3" : line));
    expect(() => applied(moved)).to.throw(
      BadInputError,
      "m.diff no longer applies: contracts/A.sol has no such lines near 2",
    );
  });

  it("are refused with the line at fault when they are malformed", () => {
    const refused: [text: string, message: string][] = [
      ["nothing", 'm.diff holds no diff: a line "--- a/PATH" is missing'],
      ["--- a/A\nx", 'm.diff, line 2: expected "+++ b/PATH"'],
      ["--- a/A\n+++ b/A\n@@ what @@", "m.diff, line 3: malformed hunk header"],
      ["--- a/A\n+++ b/A\n@@ -1,2 +1,2 @@\n a", "m.diff, line 4: the last hunk is incomplete"],
      ["--- a/A\n+++ b/A\n@@ -1 +1 @@\n?a", "m.diff, line 4: expected a line that begins with"],
      ["--- a/A\n+++ b/A\n", "m.diff changes nothing in A"],
    ];
    for (const [text, message] of refused)
      expect(() => parseDiff(text, "m.diff"), text).to.throw(BadInputError, message);
  });
});
