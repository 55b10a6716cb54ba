import { expect } from "chai";
import { simulate } from "../../src/simulation/command.ts";
import type { RunResult } from "../../src/simulation/engine.ts";
import { loadScenario, marketOf } from "../../src/simulation/loadScenario.ts";
import { sliceScenario } from "../../src/simulation/scenario.ts";
import { type Aftermath, expectOrderlyEnd, withAftermath } from "../support/aftermath.ts";

const OPTIONS = { policy: "rebalance", flow: "momentum", seed: 1, backend: "evm" } as const;
const scenario = loadScenario("yen-carry-2024-08");

describe("The yen carry unwind of 4 and 5 August 2024", () => {
  let result: RunResult;
  let aftermath: Aftermath;

  before(async () => {
    const crash = process.env.BALLAST_DEEP === "1" ? scenario : sliceScenario(scenario, 400, 560);
    const backend = withAftermath((found) => {
      aftermath = found;
    });
    result = (await simulate(marketOf(crash), OPTIONS, backend)).runs[0]!;
  });

  it("keeps the pool solvent", () => {
    expect(result.summary.insolventSteps).to.equal(0);
    expect(result.orders.accepted).to.be.greaterThan(20);
    expect(result.summary.rebalances).to.be.greaterThan(10);
  });

  it("gives every ledger, account and state from the event log alone, and lets everybody leave", () => {
    expectOrderlyEnd(aftermath);
  });
});
