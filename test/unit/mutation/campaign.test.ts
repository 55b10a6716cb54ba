import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { globalOptions } from "hardhat";
import { runCampaign } from "../../../src/mutation/campaign.ts";
import type { Mutant, TestSelection, Trial } from "../../../src/mutation/mutant.ts";
import { BadInputError } from "../../../src/simulation/errors.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const LIBRARY = "contracts/libraries/SignedWadMath.sol";
const TESTS: TestSelection = {
  files: ["test/unit/libraries/SignedWadMath.test.ts"],
  grep: "orders numbers",
};
const source = readFileSync(join(ROOT, LIBRARY), "utf8");
const quiet = { baseline: () => {}, trial: () => {} };

/** The library with another body of the function that gives the lesser of two numbers. */
function mutant(id: string, body: string, tests = TESTS): Mutant {
  const content = source.replace(/(function min\([^{]*\{)[^}]*\}/, `$1 ${body} }`);
  expect(content).not.to.equal(source);
  return { id, title: id, tests, files: new Map([[LIBRARY, content]]) };
}

describe("A mutation campaign", () => {
  const { TMPDIR } = process.env;
  let folder: string;

  before(function () {
    // What is built for coverage is not what a copy would build.
    if (globalOptions.coverage) this.skip();
    folder = mkdtempSync(join(tmpdir(), "ballast-campaign-"));
    process.env.TMPDIR = folder;
  });

  after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it("tells killed, surviving and invalid mutants apart and leaves the tree alone", async () => {
    const mutants = [
      mutant("killed", "return x > y ? x : y;"),
      mutant("equivalent", "return y < x ? y : x;"),
      mutant("broken", "return x < ? x : y;"),
    ];
    const seen: string[] = [];
    const trials = await runCampaign(ROOT, mutants, {
      baseline: ({ files }, passed) => void seen.push(`${files.length} file, ${passed} test`),
      trial: (trial: Trial) => void seen.push(trial.mutant.id),
    });
    expect(seen).to.deep.equal(["1 file, 1 test", "killed", "equivalent", "broken"]);
    expect(trials.map(({ outcome }) => outcome.verdict)).to.deep.equal([
      "killed",
      "survived",
      "invalid",
    ]);
    const [killed, , broken] = trials;
    expect(killed!.outcome.by).to.equal("SignedWadMath orders numbers and takes magnitudes");
    expect(broken!.outcome.by).to.match(/^does not compile: ParserError/);
    expect(readFileSync(join(ROOT, LIBRARY), "utf8")).to.equal(source);
    expect(readdirSync(folder).filter((name) => name.startsWith("ballast-mutants-"))).to.deep.equal(
      [],
    );
  });

  it("does not begin when the named tests run no test", async () => {
    const nothing = { ...TESTS, grep: "no test has this name" };
    const mutants = [mutant("any", "return x;", nothing)];
    let thrown: unknown;
    await runCampaign(ROOT, mutants, quiet).catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.be.instanceOf(BadInputError);
    expect(thrown).to.have.property("message").that.includes("no test runs");
  });

  if (process.env.BALLAST_DEEP === "1") {
    it("learns nothing from tests that do not use what the mutant changes", async () => {
      const others = { files: ["test/unit/simulation/random.test.ts"], grep: undefined };
      const [trial] = await runCampaign(ROOT, [mutant("any", "return x;", others)], quiet);
      expect(trial!.outcome.verdict).to.equal("invalid");
      expect(trial!.outcome.by).to.include("use no contract that the mutant changes");
    });
  }
});

describe("npm run mutate with bad arguments", () => {
  const generate = ["--generate", LIBRARY];
  const tests = ["--tests", TESTS.files[0]!];
  const refused: [args: string[], message: string][] = [
    [["--frobnicate"], "see --help"],
    [["extra"], "see --help"],
    [["--only", "no such mutant"], 'no stored mutant has "no such mutant" in its name'],
    [["--max", "3"], "--max needs --generate"],
    [["--at-least", "3"], "--at-least needs --generate"],
    [generate, "--generate needs --tests"],
    [[...generate, "--only", "x"], "--only and --generate exclude each other"],
    [["--generate", "README.md", ...tests], "is no file contracts/**/*.sol"],
    [["--generate", "contracts/None.sol", ...tests], "there is no file contracts/None.sol"],
    [[...generate, "--tests", "test/none.test.ts"], "test/none.test.ts does not exist"],
    [[...generate, ...tests, "--max", "0"], "--max"],
    [[...generate, ...tests, "--seed", "-1"], "--seed"],
    [[...generate, ...tests, "--at-least", "101"], "between 0 and 100"],
    [["--json", "no/such/folder/file.json"], "--json"],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(" ")} in one line and exits with 2`, () => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["scripts/mutate.ts", ...args],
        { cwd: ROOT, encoding: "utf8" },
      );
      expect(stderr.trimEnd().split("\n"), stderr).to.have.length(1);
      expect(stderr).to.contain(message);
      expect(stdout).to.equal("");
      expect(status).to.equal(2);
    });
  }
});
