import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { examplesIn, faultOf } from "../../support/docExamples.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FILES = globSync(["src/units.ts", "src/math/**/*.ts", "src/model/**/*.ts"], {
  cwd: ROOT,
}).sort();

describe("examples in docstrings", () => {
  for (const file of FILES) {
    const examples = examplesIn(readFileSync(join(ROOT, file), "utf8"));
    if (examples.length === 0) continue;
    it(`of ${file} are true`, async () => {
      const scope: Record<string, unknown> = await import(join(ROOT, file));
      const faults = examples
        .map((example) => ({ line: example.line, fault: faultOf(example, scope) }))
        .filter(({ fault }) => fault !== undefined)
        .map(({ line, fault }) => `${file}:${line}: ${fault}`);
      expect(faults).to.deep.equal([]);
    });
  }

  it("are found wherever a file of the math libraries has any", () => {
    const marked = FILES.filter((file) =>
      readFileSync(join(ROOT, file), "utf8").includes("@example"),
    );
    const without = marked.filter(
      (file) => examplesIn(readFileSync(join(ROOT, file), "utf8")).length === 0,
    );
    expect(marked).to.include("src/math/fixedPoint.ts");
    expect(without).to.deep.equal([]);
  });

  describe("are read and judged as they are meant", () => {
    const source = [
      "/**",
      " * Half of it. // not an example",
      " *",
      " * @param x any",
      " * @example",
      " * half(4n); // 2n",
      " * half(0n); // throws nothing to halve",
      " */",
      "half(1n); // 2n",
      "/**",
      " * @example half(2n) // 1n",
      " */",
    ].join("\n");
    const half = (x: bigint): bigint => {
      if (x === 0n) throw new Error("nothing to halve");
      return x / 2n;
    };

    it("line by line, in docstrings only", () => {
      expect(examplesIn(source)).to.deep.equal([
        { line: 6, expression: "half(4n)", expected: "2n" },
        { line: 7, expression: "half(0n)", expected: "throws nothing to halve" },
        { line: 11, expression: "half(2n)", expected: "1n" },
      ]);
    });

    it("with errors by their message and wrong values named", () => {
      const fault = (expression: string, expected: string) =>
        faultOf({ line: 1, expression, expected }, { half });
      expect(fault("half(4n)", "2n")).to.equal(undefined);
      expect(fault("half(0n)", "throws nothing to halve")).to.equal(undefined);
      expect(fault("half(4n)", "3n")).to.equal("half(4n) is 2n, not 3n");
      expect(fault("half(4n)", "2")).to.equal("half(4n) is 2n, not 2");
      expect(fault("half(0n)", "throws something else")).to.match(/^half\(0n\) is throws nothing/);
      expect(fault("[half(4n)]", "[2n]")).to.equal(undefined);
    });
  });
});
