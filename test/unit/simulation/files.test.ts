import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { BadInputError } from "../../../src/simulation/errors.ts";
import { assertDistinct, assertWritable, writeAtomically } from "../../../src/simulation/files.ts";

describe("output files", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-files-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("leave a link a link, whether or not its target exists yet", () => {
    const link = join(folder, "link");
    symlinkSync("target", link);
    for (const content of ["first", "second"]) {
      assertWritable(link, "--report");
      writeAtomically(link, content);
      expect(readlinkSync(link)).to.equal("target");
      expect(readFileSync(join(folder, "target"), "utf8")).to.equal(content);
    }
    expect(readdirSync(folder)).to.deep.equal(["link", "target"]);
  });

  it("are the same through links to files that do not exist yet", () => {
    symlinkSync("target", join(folder, "link"));
    symlinkSync(".", join(folder, "here"));
    const distinct = (first: string, second: string) =>
      assertDistinct([
        ["--json", join(folder, first)],
        ["--report", join(folder, second)],
      ]);
    expect(() => distinct("link", "target")).to.throw(BadInputError, "--json and --report");
    expect(() => distinct("here/new", "new")).to.throw(BadInputError, "--json and --report");
    expect(() => distinct("link", "other")).not.to.throw();
  });

  it("are called by the user's name when they cannot be written", () => {
    const loop = join(folder, "loop");
    symlinkSync("loop", loop);
    expect(() => assertWritable(loop, "--json")).to.throw(BadInputError, `--json ${loop} cannot`);
    const missing = join(folder, "missing", "report.html");
    expect(() => writeAtomically(missing, ""))
      .to.throw(`${missing} cannot be written: ENOENT: no such file or directory`)
      .with.property("message")
      .not.to.contain(".tmp");
  });
});
