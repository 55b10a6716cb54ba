import { expect } from "chai";
import type { Action } from "../../src/model/calls.ts";
import { orders } from "../support/twin/biographies.ts";
import { play } from "../support/twin/campaign.ts";
import { ChainTwin, type Outcome } from "../support/twin/chain.ts";
import { Counts } from "../support/twin/counts.ts";
import { deployTwin } from "../support/twin/deployment.ts";
import { type ModelFactory, replay, theModel } from "../support/twin/pair.ts";
import { shrunk } from "../support/twin/report.ts";
import { shrink } from "../support/twin/shrink.ts";
import { WORLDS } from "../support/twin/worlds.ts";

/** A model with one fault in what it says about a fill. */
const offByOne: ModelFactory = (state) => {
  const model = theModel(state);
  const spoiled = (outcome: Outcome): Outcome => {
    if (!outcome.ok) return outcome;
    const events = outcome.events.map((event) => {
      if (event.name !== "OrderExecuted") return event;
      const filled = event.args.filled as { readonly takerFee: bigint };
      return {
        ...event,
        args: { ...event.args, filled: { ...filled, takerFee: filled.takerFee + 1n } },
      };
    });
    return { ...outcome, events };
  };
  return { state: () => model.state(), apply: (action) => spoiled(model.apply(action)) };
};

/** A model that forgets a unit of insurance at each liquidation. */
const forgetful: ModelFactory = (state) => {
  const model = theModel(state);
  let lost = 0n;
  return {
    apply: (action) => {
      const outcome = model.apply(action);
      if (outcome.ok && action.method === "liquidate") lost += 1n;
      return outcome;
    },
    state: () => {
      const now = model.state();
      const { hot } = now;
      const insuranceFund = hot.ledgers.insuranceFund - lost;
      return { ...now, hot: { ...hot, ledgers: { ...hot.ledgers, insuranceFund } } };
    },
  };
};

describe("The search for the fewest actions", () => {
  it("leaves four actions of a run in which a fill is off by one unit", async () => {
    const chain = await ChainTwin.take(await deployTwin(WORLDS[0]!));
    const run = { seed: 7, biography: orders, most: 200, model: offByOne };
    const { actions, finding } = await play(chain, run, new Counts());
    expect(finding?.path).to.match(/^events\[\d+\]\.args\.filled\.takerFee$/);
    const small = await shrunk(chain, actions, offByOne);
    expect(small.actions.map(({ method }) => method)).to.deep.equal([
      "depositMargin",
      "requestOrder",
      "setPrice",
      "executeOrder",
    ]);
    expect(small.finding?.path).to.match(/filled\.takerFee$/);
    expect(await replay(chain, small.actions, theModel)).to.equal(undefined);
  });

  it("names the stored number that is wrong", async () => {
    const chain = await ChainTwin.take(await deployTwin(WORLDS[0]!));
    const run = { seed: 3, most: 400, model: forgetful };
    const { finding } = await play(chain, run, new Counts());
    expect(finding?.path).to.equal("state.hot.ledgers.insuranceFund");
    expect(finding?.action.method).to.equal("liquidate");
    expect(BigInt(JSON.parse(finding!.chain)) - BigInt(JSON.parse(finding!.model))).to.equal(1n);
  });

  it("keeps what belongs together and makes numbers simple", async () => {
    const action = (amount: bigint) =>
      ({ at: 0n, from: "", to: "marginPool", method: "depositMargin", args: { amount } }) as Action;
    const amounts = (actions: readonly Action[]) =>
      actions.map(({ args }) => (args as { amount: bigint }).amount);
    // two actions above a bound must come together
    const shows = async (actions: readonly Action[]) =>
      amounts(actions).filter((amount) => amount >= 1_234n).length >= 2;
    const before = [5n, 77_777n, 3n, 1_999n, 2n, 123_456n, 8n].map(action);
    const after = amounts(await shrink(before, shows));
    expect(after.length).to.equal(2);
    for (const amount of after) expect(amount >= 1_234n && amount % 1_000n < 1_000n).to.equal(true);
    expect(after.map(String).every((digits) => /^\d{1,4}0*$/.test(digits))).to.equal(true);
  });
});
