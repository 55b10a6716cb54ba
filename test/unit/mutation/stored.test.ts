import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import {
  MUTANT_FOLDER,
  readStoredMutant,
  readStoredMutants,
} from "../../../src/mutation/stored.ts";
import { BadInputError } from "../../../src/simulation/errors.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TESTS = "test/unit/libraries/FundingMath.test.ts";
const PATCH = [
  "--- a/contracts/libraries/FundingMath.sol",
  "+++ b/contracts/libraries/FundingMath.sol",
  "@@ -1 +1 @@",
  "-// SPDX-License-Identifier: MIT",
  "+// SPDX-License-Identifier: none",
  "",
].join("\n");

const read = (text: string) => readStoredMutant(ROOT, "test/mutants/some.diff", text);

describe("Stored mutants", () => {
  for (const name of readdirSync(join(ROOT, MUTANT_FOLDER))) {
    it(`${name} applies to the contracts as they are, and its tests exist`, () => {
      expect(name).to.match(/^[a-z\d-]+\.diff$/);
      const text = readFileSync(join(ROOT, MUTANT_FOLDER, name), "utf8");
      const { files, title } = readStoredMutant(ROOT, `${MUTANT_FOLDER}/${name}`, text);
      expect(title).to.match(/^[A-Z].*\.$/);
      for (const [path, content] of files)
        expect(content).not.to.equal(readFileSync(join(ROOT, path), "utf8"));
    });
  }

  it("are read with their sentence, tests and pattern", () => {
    const mutant = read(`mutant: No license.\ntests: ${TESTS}, ${TESTS}\ngrep: a|b\n\n${PATCH}`);
    expect(mutant.id).to.equal("some");
    expect(mutant.title).to.equal("No license.");
    expect(mutant.tests).to.deep.equal({ files: [TESTS, TESTS], grep: "a|b" });
    const [[path, content]] = [...mutant.files] as [[string, string]];
    expect(path).to.equal("contracts/libraries/FundingMath.sol");
    expect(content.split("\n")[0]).to.equal("// SPDX-License-Identifier: none");
  });

  it("are chosen by a part of their name", () => {
    expect(readStoredMutants(ROOT, "factory").map(({ id }) => id)).to.include(
      "factory-fee-for-all",
    );
    expect(() => readStoredMutants(ROOT, "no such")).to.throw(
      BadInputError,
      'no stored mutant has "no such" in its name',
    );
  });

  it("are refused by name when the header, the tests or the place is wrong", () => {
    const head = `mutant: No license.\ntests: ${TESTS}\n`;
    const refused: [text: string, message: string][] = [
      [`tests: ${TESTS}\n${PATCH}`, 'has no line "mutant: ..."'],
      [`mutant: No license.\n${PATCH}`, 'has no line "tests: ..."'],
      [`${head}tests: ${TESTS}\n${PATCH}`, 'has two lines "tests:"'],
      [`${head}color: red\n${PATCH}`, '"color: red" is no header line'],
      [`${head}grep:\n${PATCH}`, '"grep:" is no header line'],
      [`mutant: M.\ntests: test/none.test.ts\n${PATCH}`, "test/none.test.ts does not exist"],
      [`mutant: M.\ntests: README.md\n${PATCH}`, "README.md is no test file"],
      [`mutant: M.\ntests: test/../a.test.ts\n${PATCH}`, "test/../a.test.ts is no test file"],
      [head, "holds no diff"],
      [`${head}${PATCH.replaceAll("contracts/libraries", "src")}`, "only contracts/**/*.sol"],
      [`${head}${PATCH.replaceAll("FundingMath", "Gone")}`, "there is no file"],
      [`${head}${PATCH.replace("-// SPDX", "-// XDPS")}`, "no longer applies"],
    ];
    for (const [text, message] of refused)
      expect(() => read(text), text)
        .to.throw(BadInputError, message)
        .with.property("message")
        .that.includes("test/mutants/some.diff");
  });
});
