import { expect } from "chai";
import type { RunResult } from "../../../src/simulation/engine.ts";
import {
  comparisonSentence,
  formatDuration,
  formatRatio,
} from "../../../src/simulation/results.ts";
import { parseDecimal } from "../../../src/units.ts";

const run = (policy: string, maxDrawdown: string) =>
  ({ policy, summary: { maxDrawdown: parseDecimal(maxDrawdown, 18) } }) as unknown as RunResult;

describe("the comparison in one sentence", () => {
  const sentence = (withIt: string, without: string) =>
    comparisonSentence([run("rebalance", withIt), run("none", without)]);

  it("says which run drew down further, whichever it was", () => {
    expect(sentence("0.0072", "0.0289")).to.contain(
      "without rebalancing drew down further, by 2.17",
    );
    expect(sentence("0.0289", "0.0072")).to.contain(
      "run with rebalancing drew down further, by 2.17",
    );
  });

  it("calls runs alike that differ by less than it prints", () => {
    expect(sentence("0.01001", "0.01002")).to.contain("both runs drew down alike");
  });

  it("is left out for a single run", () => {
    expect(comparisonSentence([run("none", "0.1")])).to.equal(undefined);
  });
});

describe("figures for people", () => {
  it("round seconds to minutes and cap ratios without bound", () => {
    expect(formatDuration(15_332)).to.equal("4 h 16 min");
    expect(formatDuration(0)).to.equal("0 h 00 min");
    expect(formatRatio(2n ** 256n - 1n)).to.equal("> 1,000");
    expect(formatRatio(parseDecimal("2.861", 18))).to.equal("2.86");
  });
});
