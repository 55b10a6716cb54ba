import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { generateEdits, generateMutants } from "../../../src/mutation/generate.ts";
import { tokenize } from "../../../src/mutation/tokens.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const LIBRARY = "contracts/libraries/SharesMath.sol";
const TESTS = { files: ["test/unit/libraries/SharesMath.test.ts"], grep: undefined };
const FUNCTIONS = new Set(["aUp", "aDown", "mulWad", "mulWadUp", "divFloor", "divCeil", "only"]);

/** What becomes of a function's body, one mutant each. */
function bodies(body: string, header = "function f() external"): string[] {
  const [before, after] = [`contract C { ${header} { `, " } }"];
  const source = `${before}${body}${after}`;
  return generateEdits(source, FUNCTIONS).map(({ start, end, replacement }) =>
    (source.slice(0, start) + replacement + source.slice(end)).slice(before.length, -after.length),
  );
}

describe("Generated mutants", () => {
  it("swap operators, but take a sign for what it is", () => {
    expect(bodies("x = a + b;")).to.include.members(["x = a - b;", "{}"]);
    expect(bodies("x = a ** b;")).to.include("x = a * b;");
    expect(bodies("x += a;")).to.include("x -= a;");
    expect(bodies("x = -a;")).to.have.members(["x = a;", "{}"]);
    expect(bodies("return -a;")).to.have.members(["return a;", "{}"]);
    expect(bodies("x = a(b) - c[d] * e;")).to.include.members([
      "x = a(b) + c[d] * e;",
      "x = a(b) - c[d] / e;",
    ]);
    expect(bodies("x = a <= b && c > d;")).to.include.members([
      "x = a < b && c > d;",
      "x = a <= b || c > d;",
      "x = a <= b && c >= d;",
    ]);
  });

  it("negate conditions and requirements, and no loop", () => {
    expect(bodies("if (a(b, c) < d) return;")).to.include("if (!(a(b, c) < d)) return;");
    expect(bodies('require(a(b, c) && d, "why, then");')).to.include(
      'require(!(a(b, c) && d), "why, then");',
    );
    expect(bodies("if (a == b) return;")).to.have.members([
      "if (a != b) return;",
      "if (a == b) {}",
    ]);
    expect(bodies("x = up ? a : b;")).to.include("x = !up ? a : b;");
    expect(bodies("while (a) b();")).to.deep.equal(["while (a) {}"]);
  });

  it("round the other way where a function of that name exists", () => {
    expect(bodies("return aUp(x);")).to.include("return aDown(x);").and.have.length(2);
    expect(bodies("return x.mulWad(y);")).to.include("return x.mulWadUp(y);");
    expect(bodies("return x.mulWadUp(y);")).to.include("return x.mulWad(y);").and.have.length(2);
    expect(bodies("return x.divCeil(y);")).to.include("return x.divFloor(y);");
    expect(bodies("return x.divUp(y);")).to.deep.equal(["{}"]);
    expect(bodies("return mulDiv(x, Math.Rounding.Ceil);")).to.include(
      "return mulDiv(x, Math.Rounding.Floor);",
    );
    expect(bodies("return x.min(y);")).to.include("return x.max(y);");
  });

  it("replace constants by their neighbors, in bodies and in initial values", () => {
    const of = (text: string) => bodies(`return ${text};`).filter((body) => body !== "{}");
    expect(of("30 minutes")).to.deep.equal(["return 31 minutes;"]);
    expect(of("0.04e18")).to.deep.equal(["return 0.05e18;"]);
    expect(of("0.9e18")).to.deep.equal(["return 0.8e18;"]);
    expect(of("1_000e6")).to.deep.equal(["return 1_001e6;"]);
    expect(of("0x1f")).to.deep.equal(["return 0x1e;"]);
    expect(of("true")).to.deep.equal(["return false;"]);
    const [constant] = generateEdits("contract C { uint256 constant A = 7 * B; }", FUNCTIONS);
    expect(constant).to.include({ replacement: "8", title: "7 becomes 8", line: 1 });
  });

  it("leave out statements and modifiers, but no declaration", () => {
    expect(bodies("emit E(a, b); a.push(b); delete c[d]; --e; (f, g) = (g, f);")).to.have.members([
      "{} a.push(b); delete c[d]; --e; (f, g) = (g, f);",
      "emit E(a, b); {} delete c[d]; --e; (f, g) = (g, f);",
      "emit E(a, b); a.push(b); {} --e; (f, g) = (g, f);",
      "emit E(a, b); a.push(b); delete c[d]; {} (f, g) = (g, f);",
      "emit E(a, b); a.push(b); delete c[d]; --e; {}",
    ]);
    expect(bodies("for (uint256 i; i < n; ++i) a();")).to.have.members([
      "for (uint256 i; i <= n; ++i) a();",
      "for (uint256 i; i < n; ++i) {}",
    ]);
    expect(bodies("A.B memory c = d; (uint256 e, ) = f(); uint256[] memory g;")).to.deep.equal([]);
    const source = "contract C { function f(uint256 a) external override(A, B) lock only(a) { } }";
    expect(generateEdits(source, FUNCTIONS).map(({ title }) => title)).to.deep.equal([
      "without lock",
      "without only(a)",
    ]);
  });

  it("leave comments, strings, imports, headers, structs and assembly alone", () => {
    const source = `
      // a + b < 1
      pragma solidity 0.8.37;
      import {A as B} from "../a-1.sol"; /* 1 + 2 */
      struct S { uint256[3] a; }
      contract C is A(1) {
        error E(uint256 a);
        uint256 immutable X;
        mapping(address => uint256) private _m;
        function f(uint256[2] memory a) external pure returns (uint256 b) {
          assembly ("memory-safe") {
            for { let i := 0 } lt(i, 2) { i := add(i, 1) } { b := add(b, 1) if iszero(b) { revert(0, 0) } }
          }
        }
        function g() external pure returns (string memory c);
      }
    `;
    expect(generateEdits(source, FUNCTIONS)).to.deep.equal([]);
  });

  it("name function and line", () => {
    const source = "contract C {\n function f() external {\n  x = a + b;\n }\n}";
    const [, sum] = generateEdits(source, FUNCTIONS);
    expect(sum).to.include({ title: "f: + becomes -", line: 3, operator: "operator" });
  });

  it("cannot be made of what is no Solidity", () => {
    expect(() => tokenize("a\n\u0001")).to.throw('line 2: "\\u0001" begins no token');
  });

  it("are distinct, each with a name of its own, and none is the file as it was", () => {
    const mutants = generateMutants(ROOT, LIBRARY, TESTS, 100_000, 1);
    expect(mutants.length).to.be.above(50);
    expect(new Set(mutants.map(({ id }) => id)).size).to.equal(mutants.length);
    const contents = mutants.map(({ files }) => files.get(LIBRARY));
    expect(new Set(contents).size).to.equal(mutants.length);
  });

  it("are the same for the same seed, others for another, and no more than asked for", () => {
    const ids = (seed: number) =>
      generateMutants(ROOT, LIBRARY, TESTS, 12, seed).map(({ id }) => id);
    expect(ids(3)).to.have.length(12).and.to.deep.equal(ids(3)).and.not.to.deep.equal(ids(4));
  });
});
