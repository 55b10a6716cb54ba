import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { BackendFactory } from "../../src/simulation/backend.ts";
import { main } from "../../src/simulation/command.ts";
import { compareBackends } from "../../src/simulation/comparedBackend.ts";
import { createModelBackend } from "../../src/simulation/modelBackend.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Fields of a run's summary that others rely on. */
const PROMISED = [
  "initialEquity",
  "finalEquity",
  "minSolvencyRatio",
  "maxDrawdown",
  "badDebt",
  "insolventSteps",
  "rebalances",
  "auctions",
  "rebalanceCost",
  "liquidations",
  "deleverages",
  "keeperRewards",
  "divergenceLoss",
  "lossVersusRebalancing",
  "swapFees",
  "secondsOutsideNormal",
] as const;

describe("npm run simulate", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "ballast-cli-"));
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function simulate(...args: string[]) {
    return spawnSync(process.execPath, ["scripts/simulate.ts", ...args], {
      cwd: ROOT,
      encoding: "utf8",
    });
  }

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Bad input: one line on stderr with every fragment, exit code 2, nothing on stdout, no file left behind. */
  function expectRefusal(args: string[], ...fragments: string[]) {
    const before = readdirSync(folder);
    const { status, stdout, stderr } = simulate(...args);
    const lines = stderr.trimEnd().split("\n");
    expect(lines, stderr).to.have.length(1);
    for (const fragment of fragments) expect(lines[0]).to.contain(fragment);
    expect(stdout).to.equal("");
    expect(status).to.equal(2);
    expect(readdirSync(folder)).to.deep.equal(before);
  }

  it("names the scenarios when asked for an unknown one", () => {
    expectRefusal(["--scenario", "doom"], '"doom"', "black-thursday-2020-03", "calm-2024-02");
  });

  it("refuses values that this version does not have, naming those it has", () => {
    const available = "available: rebalance, none, both";
    expectRefusal(["--policy", "daily"], "--policy daily is not available yet", available);
  });

  it("refuses unknown values, options and arguments", () => {
    expectRefusal(["--policy", "yolo"], '--policy "yolo"', "rebalance, none, both");
    const flows = "noise, momentum, crowded, contrarian, adversary";
    expectRefusal(["--flow", "panic"], '--flow "panic"', `available: ${flows}`);
    expectRefusal(["--backend", "fast"], '--backend "fast"', "available: evm, model, both");
    expectRefusal(["--frobnicate"], "unknown option", "--frobnicate", "; see --help");
    expectRefusal(["extra"], "too many arguments", "; see --help");
    expectRefusal(["--scenario"], "argument missing; see --help");
  });

  it("refuses seeds that are negative, fractional or absurd", () => {
    for (const seed of ["-1", "1.5", "1e3", "99999999999999999999"]) {
      expectRefusal([`--seed=${seed}`], `--seed "${seed}"`, "whole number");
    }
  });

  it("refuses steps, feeds and processes that make no sense", () => {
    expectRefusal(["--step", "11"], '--step "11"', "from 12 to 3600");
    expectRefusal(["--step", "1.5"], '--step "1.5"', "whole number of seconds");
    expectRefusal(["--step", "13"], "bars of 300 s cannot be divided into steps of 13 s");
    expectRefusal(["--feed", ""], "--feed needs settings");
    expectRefusal(["--feed", "lag=soon"], 'lag: "soon" is not a whole number from 0 to 86400');
    expectRefusal(["--scenario", "gbm:sigma=9"], 'sigma: "9" is not a number from 0 to 5');
  });

  it("gives row and column of a malformed CSV", () => {
    const path = file("bad.csv", "time,close\n1583971200,194.61\n1583971500,oops\n");
    expectRefusal(["--scenario", path], path, "row 3", "column close", "oops");
  });

  it("gives the field of a malformed JSON scenario", () => {
    expectRefusal(["--scenario", file("bad.json", "{}")], "bad.json", "name");
    expectRefusal(["--scenario", join(folder, "none.json")], "does not exist");
  });

  it("refuses paths it cannot write before anything runs", () => {
    const missing = join(folder, "missing", "report.html");
    expectRefusal(["--report", missing], "--report", missing, "does not exist");
    expectRefusal(["--report", folder], "--report", "it is a folder");
    expectRefusal(["--json", "/dev/null/x.json"], "--json", "cannot be written");
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    for (const special of ["/dev/null", fifo])
      expectRefusal(["--report", special], special, "it is not a regular file");
  });

  it("refuses paths that name the same file", () => {
    const scenario = file("path.csv", "time,close\n1583971200,194.61\n1583971500,195\n");
    const link = join(folder, "link.html");
    symlinkSync(scenario, link);
    const output = join(folder, "out");
    const same = "name the same file";
    expectRefusal(["--json", output, "--report", `${folder}/./out`], "--json and --report", same);
    expectRefusal(["--scenario", scenario, "--report", link], "--scenario and --report", same);
    expectRefusal(["--scenario", scenario, "--json", scenario], "--scenario and --json", same);
  });

  it("runs a CSV of the user's own and writes report and figures", () => {
    const rows = [200, 199, 195, 190].map((close, bar) => `${1_583_971_200 + 300 * bar},${close}`);
    const scenario = file("mine.csv", `time,close\n${rows.join("\n")}\n`);
    const report = join(folder, "mine.html");
    const json = join(folder, "mine.json.out");
    const args = [
      "--scenario",
      scenario,
      "--report",
      report,
      "--json",
      json,
      "--seed",
      "3",
      "--quiet",
    ];
    const { status, stdout, stderr } = simulate(...args);
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    expect(stdout).to.contain("Drawdown against the benchmark").and.to.contain(`Report: ${report}`);

    const html = readFileSync(report, "utf8");
    expect(html)
      .to.contain("<svg")
      .and.to.contain("--seed 3")
      .and.not.to.match(/(src|href)="?http/);
    const figures = JSON.parse(readFileSync(json, "utf8"));
    expect(figures).to.include({
      scenario: "mine",
      flow: "momentum",
      seed: 3,
      backend: "evm",
      steps: 4,
    });
    for (const policy of ["rebalance", "none"]) {
      const { summary, series } = figures.runs[policy];
      expect(series).to.have.length(4);
      expect(Number(summary.initialEquity)).to.be.closeTo(10_000_000, 1);
      expect(summary).to.include.keys(PROMISED);
      for (const [name, value] of Object.entries(summary)) {
        expect(String(value), name).to.match(/^-?\d+(\.\d+)?$/);
      }
    }
    expect(existsSync(join(ROOT, "reports", "mine.html"))).to.equal(false);
  });

  it("runs a process in finer steps on a feed of its own, on contracts and model at once", () => {
    const json = join(folder, "both.json");
    const report = join(folder, "both.html");
    const scenario = "gap:sigma=2,days=0.0125,step=120,size=-0.1,at=4";
    const feed = "heartbeat=60,lag=24,outage=300/420";
    const { status, stdout, stderr } = simulate(
      ...["--scenario", scenario, "--step", "60", "--feed", feed, "--backend", "both"],
      ...["--json", json, "--report", report],
    );
    expect(status, stderr).to.equal(0);
    expect(stderr).to.contain("100 %  36/36 steps");
    expect(stdout).to.contain("18 bars of 60 s");
    const figures = JSON.parse(readFileSync(json, "utf8"));
    expect(figures).to.include({ scenario, backend: "both", steps: 18, stepSeconds: 60, feed });
    expect(readFileSync(report, "utf8")).to.contain(`--step 60 --feed ${feed}`);

    const onModel = (...args: string[]) => {
      const model = join(folder, "model.json");
      const again = simulate(
        ...["--scenario", scenario, "--step", "60", "--backend", "model", ...args],
        ...["--json", model, "--report", report, "--quiet"],
      );
      expect(again.status, again.stderr).to.equal(0);
      return JSON.parse(readFileSync(model, "utf8"));
    };
    expect(onModel("--feed", feed)).to.deep.equal({ ...figures, backend: "model" });
    const plain = onModel();
    expect(plain.feed).to.equal("a round at every step");
    expect(plain.runs, "the feed makes a difference").not.to.deep.equal(figures.runs);
  });

  it("fails with the first difference where contracts and model disagree", async () => {
    const faulty: BackendFactory = async (setup) => {
      const backend = await createModelBackend(setup);
      return Object.assign(Object.create(backend), {
        pool: async () => {
          const pool = await backend.pool();
          return { ...pool, reserveBase: pool.reserveBase + 1n };
        },
      });
    };
    const written: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
    try {
      await main(
        ["--scenario", "gbm:days=0.0125,step=120", "--report", join(folder, "no.html"), "--quiet"],
        async () => compareBackends(createModelBackend, faulty, ["evm", "model"]),
      );
      expect(process.exitCode).to.equal(1);
    } finally {
      process.stderr.write = write;
      process.exitCode = 0;
    }
    expect(written).to.have.length(1);
    expect(written[0]).to.match(
      /^at 2025-01-01T00:00:00.000Z, pool, reserveBase: evm \d+, model \d+\n$/,
    );
    expect(existsSync(join(folder, "no.html"))).to.equal(false);
  });
});
