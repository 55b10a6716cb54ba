import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { toJson } from "../../src/bench/command.ts";
import { type JudgedRow, misses, TOLERANCE } from "../../src/bench/expectations.ts";
import { measureGas } from "../../src/bench/gasBench.ts";
import { gasTable } from "../../src/bench/gasTable.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("npm run bench:gas", () => {
  let rows: JudgedRow[];

  before(async () => {
    rows = await measureGas();
  });

  it("measures what the peers are known to cost", () => {
    const peers = rows.filter(({ system }) => !system.startsWith("ballast"));
    expect(peers).to.have.length(10);
    for (const { operation, system, gas, expected } of peers)
      expect(gas, `${operation}, ${system}`).to.be.closeTo(expected!, TOLERANCE);
  });

  it("measures the same figures again", async () => {
    expect(await measureGas()).to.deep.equal(rows);
  });

  it("measures each operation of a system once", () => {
    const names = rows.map(({ operation, system }) => `${operation}, ${system}`);
    expect(new Set(names)).to.have.property("size", names.length);
    const targets = [72_300, 68_300, 72_900, 77_000, 86_000, 80_000, 2_500_000];
    expect(rows.map(({ target }) => target)).to.include.members(targets);
  });

  it("writes rows of operation, system and gas", () => {
    const document = JSON.parse(toJson(rows));
    expect(Object.keys(document)).to.deep.equal(["rows"]);
    expect(document.rows).to.have.length(rows.length);
    for (const { operation, system, gas } of document.rows) {
      expect(operation).to.be.a("string").and.not.to.equal("");
      expect(system).to.be.a("string").and.not.to.equal("");
      expect(gas).to.satisfy(Number.isSafeInteger).and.to.be.above(21_000);
    }
  });

  it("prints each row's gas and what it should be", () => {
    const table = gasTable(rows);
    for (const { gas } of rows) expect(table).to.contain(gas.toLocaleString("en-US"));
    expect(table).to.contain("97,595 ± 200").and.to.contain("at most 72,300");
  });

  it("names every row that misses its figure", () => {
    const met = rows.map((row) => ({ ...row, gas: row.expected ?? row.target ?? row.gas }));
    expect(misses(met)).to.deep.equal([]);
    const missed = met.map((row) => ({
      ...row,
      gas: row.expected === undefined ? row.gas + 1 : row.expected - TOLERANCE - 1,
    }));
    expect(misses(missed))
      .to.include(
        "swap exact in, first in block, uniswap v2, Router02: measured 97,394 gas, expected 97,595 within 200",
      )
      .and.to.include("add liquidity, ballast: measured 86,001 gas, target 86,000")
      .and.to.have.length(
        rows.filter(({ expected, target }) => expected !== undefined || target !== undefined)
          .length,
      );
    expect(misses(met.slice(1))).to.deep.equal([
      "swap exact in, first in block, floor: not measured",
    ]);
  });
});

describe("npm run bench:gas with bad arguments", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-bench-"));
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [title, args, fragments] of [
    ["an unknown option", ["--frobnicate"], ["--frobnicate", "see --help"]],
    ["an argument too many", ["extra"], ["too many arguments", "see --help"]],
    ["an option without its file", ["--json"], ["argument missing", "see --help"]],
    ["a blank file name", ["--json", " "], ["--json needs a file name"]],
    ["a folder that does not exist", ["--json", "MISSING/gas.json"], ["--json", "does not exist"]],
  ] as const) {
    it(`refuses ${title} in one line and exits with 2`, () => {
      const placed = args.map((text) => text.replace("MISSING", join(folder, "missing")));
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["scripts/bench-gas.ts", ...placed],
        { cwd: ROOT, encoding: "utf8" },
      );
      expect(stderr.trimEnd().split("\n"), stderr).to.have.length(1);
      for (const fragment of fragments) expect(stderr).to.contain(fragment);
      expect(stdout).to.equal("");
      expect(status).to.equal(2);
      expect(readdirSync(folder)).to.deep.equal([]);
    });
  }
});
