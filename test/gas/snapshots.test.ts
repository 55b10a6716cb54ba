import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { artifacts, globalOptions } from "hardhat";
import { atFixedTimes } from "../../deploy/fixedTimes.ts";
import { GENESIS, SECONDS_PER_BLOCK } from "../../src/bench/conditions.ts";
import { createNetwork } from "../../src/bench/gasChain.ts";
import { differences, figuresOf, type Snapshot } from "../../src/snapshots/figures.ts";
import {
  readSnapshot,
  SNAPSHOT_FOLDER,
  type SnapshotName,
  writeSnapshot,
} from "../../src/snapshots/files.ts";
import { measureGasSnapshot } from "../../src/snapshots/gas.ts";
import { ACCEPT, driftReport } from "../../src/snapshots/report.ts";
import { measureSizes, POOL_SIZE_LIMIT } from "../../src/snapshots/sizes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Fails with a table of what drifted and how to accept it. */
function expectAsCommitted(name: SnapshotName, measured: Snapshot): void {
  const found = differences(readSnapshot(SNAPSHOT_FOLDER, name), measured);
  if (found.length > 0) expect.fail(`${driftReport(name, found)}\n${ACCEPT}`);
}

describe("Committed snapshots", () => {
  before(function () {
    // Code that counts its own coverage is larger and costs more.
    if (globalOptions.coverage) this.skip();
  });

  it("hold the gas of every operation to the unit", async () => {
    expectAsCommitted("gas", await measureGasSnapshot());
  });

  it("hold the size of every contract to the byte", async () => {
    expectAsCommitted("size", await measureSizes());
  });

  it("keep a pool's code small", async () => {
    const { ConstantProductPool: pool } = await measureSizes();
    expect(pool!.deployed).to.be.above(0).and.below(POOL_SIZE_LIMIT);
  });

  it("have a row for every function of pools, factory, router and rebalancer that changes anything", async () => {
    const snapshot = readSnapshot(SNAPSHOT_FOLDER, "gas");
    const contracts = ["ConstantProductPool", "PoolFactory", "Router", "MarginPool", "Rebalancer"];
    // The rebalancer alone calls these: they are part of its rows.
    const inside = ["tradeWithPool", "cacheBand"];
    for (const contract of contracts) {
      const rows = Object.entries(snapshot)
        .filter(([group]) => group.split(", ")[0]!.split(" and ").includes(contract))
        .flatMap(([, figures]) => Object.keys(figures));
      const { abi } = await artifacts.readArtifact(contract);
      const changing = (abi as readonly { type: string; name: string; stateMutability: string }[])
        .filter(({ type }) => type === "function")
        .filter(({ stateMutability }) => ["nonpayable", "payable"].includes(stateMutability))
        .map(({ name }) => name)
        .filter((name) => !inside.includes(name));
      expect(changing).not.to.have.length(0);
      const missing = changing.filter(
        (name) => !rows.some((row) => new RegExp(`^${name}(?:[ ,]|$)`).test(row)),
      );
      expect(missing, contract).to.deep.equal([]);
    }
  });
});

describe("Snapshot differences", () => {
  const committed = { A: { one: 1_000, two: 2 }, B: { three: 3 } };

  it("are none when only the order differs", () => {
    const measured = { B: { three: 3 }, A: { two: 2, one: 1_000 } };
    expect(differences(committed, measured)).to.deep.equal([]);
    expect(driftReport("gas", [])).to.equal("snapshots/gas.json, gas of operations: as committed");
  });

  it("are every row that changed, is new or is gone", () => {
    const found = differences(committed, { A: { one: 999, four: 0 }, C: { two: 2 } });
    expect(found.map(({ committed: was, measured: is, name }) => [name, was, is])).to.deep.equal([
      ["one", 1_000, 999],
      ["four", undefined, 0],
      ["two", undefined, 2],
      ["two", 2, undefined],
      ["three", 3, undefined],
    ]);
    const lines = driftReport("size", found).split("\n");
    expect(lines[0]).to.equal(
      "snapshots/size.json, bytes of contracts: 5 differ from what is committed",
    );
    const cells = lines.map((line) =>
      line
        .split("│")
        .map((cell) => cell.trim())
        .join("|"),
    );
    for (const row of ["|A|one|1,000|999|-1|", "||four||0|new|", "|B|three|3||gone|"])
      expect(cells).to.include(row);
  });

  it("cannot arise from two rows of one name", () => {
    expect(figuresOf([["toString", 1]])).to.deep.equal({ toString: 1 });
    expect(() =>
      figuresOf([
        ["one", 1],
        ["one", 1],
      ]),
    ).to.throw('"one" is measured twice');
  });
});

describe("Snapshot files", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-snapshots-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("are read as they were written, and nothing else is left in the folder", () => {
    const place = join(folder, "snapshots");
    expect(readSnapshot(place, "gas")).to.deep.equal({});
    writeSnapshot(place, "gas", { A: { one: 1 } });
    writeSnapshot(place, "gas", { B: { two: 2 } });
    expect(readSnapshot(place, "gas")).to.deep.equal({ B: { two: 2 } });
    expect(readdirSync(place)).to.deep.equal(["gas.json"]);
    expect(readFileSync(join(place, "gas.json"), "utf8")).to.equal(
      '{\n  "B": {\n    "two": 2\n  }\n}\n',
    );
  });

  for (const content of [
    "",
    "[]",
    "<<<<<<< HEAD",
    '{"A": 1}',
    '{"A": {"one": "1"}}',
    '{"A": {"one": 0.5}}',
  ]) {
    it(`are refused when they hold ${JSON.stringify(content)}`, () => {
      writeFileSync(join(folder, "size.json"), content);
      expect(() => readSnapshot(folder, "size")).to.throw(/size\.json is no snapshot/);
    });
  }
});

describe("npm run snapshot with bad arguments", () => {
  for (const args of [["--frobnicate"], ["extra"], ["--check=yes"]]) {
    it(`refuses ${args[0]} in one line and exits with 2`, () => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["scripts/snapshot.ts", ...args],
        { cwd: ROOT, encoding: "utf8" },
      );
      expect(stderr.trimEnd().split("\n"), stderr).to.have.length(1);
      expect(stderr).to.contain("see --help");
      expect(stdout).to.equal("");
      expect(status).to.equal(2);
    });
  }
});

describe("Fixed times", () => {
  it("put each transaction in a block twelve seconds after the last, whatever the clock says", async () => {
    const connection = await createNetwork();
    try {
      const { provider } = connection.ethers;
      const [sender] = await connection.ethers.getSigners();
      const send = () => sender!.sendTransaction({ to: sender! });
      const times = { firstAt: GENESIS + SECONDS_PER_BLOCK, spacing: SECONDS_PER_BLOCK };
      const { timestamp } = await atFixedTimes(connection, times, async () => {
        await send();
        await setTimeout(1_100);
        await Promise.all([send(), send()]);
      });
      expect(timestamp).to.equal(GENESIS + 3 * SECONDS_PER_BLOCK);
      for (const block of [1, 2, 3])
        expect((await provider.getBlock(block))!.timestamp).to.equal(
          GENESIS + block * SECONDS_PER_BLOCK,
        );
      expect(await provider.getBlockNumber()).to.equal(3);
    } finally {
      await connection.close();
    }
  });
});
