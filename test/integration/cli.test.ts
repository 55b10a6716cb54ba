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

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

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
    expectRefusal(["--backend", "model"], "--backend model is not available yet", "available: evm");
    expectRefusal(["--flow", "adversary"], "--flow adversary is not available yet", "momentum");
  });

  it("refuses unknown values, options and arguments", () => {
    expectRefusal(["--policy", "yolo"], '--policy "yolo"', "rebalance, none, both");
    expectRefusal(["--frobnicate"], "unknown option", "--frobnicate", "; see --help");
    expectRefusal(["extra"], "too many arguments", "; see --help");
    expectRefusal(["--scenario"], "argument missing; see --help");
  });

  it("refuses seeds that are negative, fractional or absurd", () => {
    for (const seed of ["-1", "1.5", "1e3", "99999999999999999999"]) {
      expectRefusal([`--seed=${seed}`], `--seed "${seed}"`, "whole number");
    }
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
      for (const [name, value] of Object.entries(summary)) {
        expect(String(value), name).to.match(/^-?\d+(\.\d+)?$/);
      }
    }
    expect(existsSync(join(ROOT, "reports", "mine.html"))).to.equal(false);
  });
});
