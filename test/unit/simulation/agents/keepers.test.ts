import { expect } from "chai";
import { Accounts } from "../../../../src/simulation/agents/accounts.ts";
import { Executors } from "../../../../src/simulation/agents/executor.ts";
import {
  actAlways,
  actForProfit,
  GAS_USED,
  gasCost,
} from "../../../../src/simulation/agents/gasPolicy.ts";
import { RebalanceKeeper } from "../../../../src/simulation/agents/keeper.ts";
import { Liquidators } from "../../../../src/simulation/agents/liquidator.ts";
import { OrderQueue } from "../../../../src/simulation/agents/orderQueue.ts";
import type { Action, ActionResult, RebalancePlan } from "../../../../src/simulation/backend.ts";
import { createRandom } from "../../../../src/simulation/random.ts";
import { readSnapshot, SNAPSHOT_FOLDER } from "../../../../src/snapshots/files.ts";
import { agentView, PRICE, stubBackend } from "../../../support/agentView.ts";
import { expectNear } from "../../../support/expectNear.ts";

const START = 1_767_225_611;
const DUE: RebalancePlan = {
  reason: "Due",
  sellBase: true,
  amountBase: 100n * 10n ** 18n,
  quoteLimit: 1n,
  innerBand: 0n,
  outerBand: 0n,
};

/** What a block gave for an action: refused where an error is given. */
function result(action: Action, error?: string): ActionResult {
  return error === undefined
    ? { action, ok: true, events: [] }
    : { action, ok: false, error, events: [] };
}

describe("A keeper who rebalances", () => {
  const call = [{ kind: "rebalance", keeper: 2 }] as const;
  const at = (seconds: number, plan = DUE) => agentView({ at: START + seconds, plan });

  it("calls in the next block when a chunk is due, again and again", () => {
    const keeper = new RebalanceKeeper(2);
    expect(keeper.act(at(0))).to.deep.equal(call);
    expect(keeper.act(at(12))).to.deep.equal(call);
    expect(keeper.calling).to.equal(false);
  });

  it("does not call while nothing is due or the chunk would not fill", () => {
    const keeper = new RebalanceKeeper(2);
    expect(keeper.act(at(0, { ...DUE, reason: "NotYetEligible" }))).to.deep.equal([]);
    const unfillable = { ...DUE, quoteLimit: 10n ** 18n };
    expect(keeper.act(at(12, unfillable))).to.deep.equal([]);
  });

  it("with a latency of two blocks, arrives two blocks later whatever has happened since", () => {
    const keeper = new RebalanceKeeper(2, { latencyBlocks: 2 });
    expect(keeper.act(at(0))).to.deep.equal([]);
    expect(keeper.calling).to.equal(true);
    const over = { ...DUE, reason: "InsideBand" } as const;
    expect(keeper.act(at(12, over))).to.deep.equal([]);
    expect(keeper.act(at(24, over))).to.deep.equal(call);
    expect(keeper.calling).to.equal(false);
    expect(keeper.act(at(36, over))).to.deep.equal([]);
  });

  it("rests until the next step once it was refused, and only when it was itself", () => {
    const keeper = new RebalanceKeeper(2);
    keeper.act(at(0));
    keeper.observe([result({ kind: "rebalance", keeper: 1 }, "Rebalancer_NotDue")], at(0));
    expect(keeper.resting).to.equal(false);
    keeper.observe([result(call[0], "Rebalancer_NotDue")], at(0));
    expect(keeper.resting).to.equal(true);
    expect(keeper.act(at(12))).to.deep.equal([]);
    expect(keeper.act({ ...at(300), step: 1 })).to.deep.equal(call);
  });

  it("who wants a profit never calls, since nothing is paid for it", () => {
    const keeper = new RebalanceKeeper(2, { gasPolicy: actForProfit });
    expect(keeper.act({ ...at(0), gasPriceGwei: 0.001 })).to.deep.equal([]);
  });
});

describe("Gas", () => {
  it("of each paid action is the committed figure", () => {
    const { rows } = flatten();
    expect(rows).to.include({
      executeOrder: GAS_USED.executeOrder,
      liquidate: GAS_USED.liquidate,
      rebalance: GAS_USED.rebalance,
      poke: GAS_USED.poke,
      autoDeleverage: GAS_USED.autoDeleverage,
      settleAccount: GAS_USED.settleAccount,
    });
  });

  it("costs gas used x gas price x price of ether", () => {
    expectNear(gasCost("rebalance", 50, PRICE), 248_128 * 50e-9 * 194.61, 1e-9);
  });

  function flatten() {
    const groups = readSnapshot(SNAPSHOT_FOLDER, "gas");
    const figures: Record<string, number> = Object.assign({}, ...Object.values(groups));
    const pool = Object.assign(
      {},
      ...Object.entries(groups)
        .filter(([name]) => name.startsWith("MarginPool"))
        .map(([, rows]) => rows),
    ) as Record<string, number>;
    expect(Object.keys(figures).length).to.be.greaterThan(50);
    return {
      rows: {
        executeOrder: pool["executeOrder, first position"],
        liquidate: pool["liquidate, partial"],
        rebalance: pool.rebalance,
        poke: pool.poke,
        autoDeleverage: pool.autoDeleverage,
        settleAccount: pool.settleAccount,
      },
    };
  }
});

describe("Keepers who fill orders", () => {
  const request = (trader: number): ActionResult =>
    result({ kind: "requestOrder", trader, sizeDelta: 1n, acceptablePrice: 1n, expiresAt: 0 });
  const queue = (...traders: number[]) => {
    const orders = new OrderQueue();
    orders.observe(traders.map(request), 1);
    return orders;
  };
  const random = () => createRandom(1, "executors");

  it("fill first come first, on a round after the request only", () => {
    const executors = new Executors(random());
    const orders = queue(7, 3);
    expect(executors.act(agentView({ orders, rounds: 1 }))).to.deep.equal([]);
    expect(executors.act(agentView({ orders, rounds: 2 }))).to.deep.equal([
      { kind: "executeOrder", trader: 7, keeper: 0 },
      { kind: "executeOrder", trader: 3, keeper: 0 },
    ]);
    expect(executors.act(agentView({ orders, rounds: 2, priceGood: false }))).to.deep.equal([]);
  });

  it("compete: each order goes to one of those for whom the fee pays for the gas", () => {
    const executors = new Executors(random(), [actAlways, actForProfit, actAlways]);
    const orders = queue(...Array.from({ length: 40 }, (_, trader) => trader));
    const winners = (gasPriceGwei: number) =>
      new Set(
        executors
          .act(agentView({ orders, rounds: 2, gasPriceGwei }))
          .map((action) => (action.kind === "executeOrder" ? action.keeper : undefined)),
      );
    // 0.5 quote pays for 191,487 gas up to 13.4 gwei at 194.61.
    expect([...winners(13)].sort()).to.deep.equal([0, 1, 2]);
    expect([...winners(14)].sort()).to.deep.equal([0, 2]);
    const proud = new Executors(random(), [actForProfit]);
    expect(proud.act(agentView({ orders, rounds: 2, gasPriceGwei: 14 }))).to.deep.equal([]);
  });
});

describe("Liquidators", () => {
  const SIZE = 1_000n * 10n ** 18n; // 194,610 quote

  interface Position {
    /** Whole quote tokens. */
    readonly collateral: bigint;
    readonly entry?: bigint;
    readonly size?: bigint;
    readonly liquidatable?: boolean;
    readonly gasPriceGwei?: number;
  }

  /** One account, a long at 194.61 unless it says otherwise. */
  async function viewOf(position: Position) {
    const { collateral, entry = 194_610n, size = SIZE, gasPriceGwei = 20 } = position;
    const { liquidatable = true } = position;
    const account = {
      size,
      entryNotional: entry * 1_000_000n,
      collateral: collateral * 1_000_000n,
    };
    let asked = 0;
    const backend = stubBackend({
      account: async () => account,
      position: async () => {
        asked++;
        return { ...account, equity: account.collateral, liquidatable };
      },
    });
    const accounts = new Accounts(backend);
    await accounts.observe(
      [
        result({
          kind: "requestOrder",
          trader: 5,
          sizeDelta: 1n,
          acceptablePrice: 1n,
          expiresAt: 0,
        }),
      ],
      START,
    );
    return { view: agentView({ backend, accounts, gasPriceGwei }), asked: () => asked };
  }

  it("look only at positions that may be due, and liquidate those that are", async () => {
    const liquidators = new Liquidators(createRandom(1, "liquidators"));
    const rich = await viewOf({ collateral: 50_000n });
    expect(await liquidators.act(rich.view)).to.deep.equal([]);
    expect(rich.asked()).to.equal(0);
    const healthy = await viewOf({ collateral: 4_700n, liquidatable: false });
    expect(await liquidators.act(healthy.view)).to.deep.equal([]);
    expect(healthy.asked()).to.equal(1);
    const { view } = await viewOf({ collateral: 3_000n });
    expect(await liquidators.act(view)).to.deep.equal([
      { kind: "liquidate", trader: 5, liquidator: 0 },
    ]);
    expect(await liquidators.act({ ...view, priceGood: false })).to.deep.equal([]);
  });

  it("count a short's profit where the price has fallen, and a long's where it has risen", async () => {
    const liquidators = new Liquidators(createRandom(1, "liquidators"));
    const due = async (size: bigint, entry: bigint) =>
      (await liquidators.act((await viewOf({ collateral: 3_000n, size, entry })).view)).length;
    expect(await due(-SIZE, 250_000n), "a short in profit").to.equal(0);
    expect(await due(-SIZE, 150_000n), "a short at a loss").to.equal(1);
    expect(await due(SIZE, 150_000n), "a long in profit").to.equal(0);
    expect(await due(SIZE, 250_000n), "a long at a loss").to.equal(1);
  });

  it("leave alone what does not pay for the gas", async () => {
    const liquidators = new Liquidators(createRandom(1, "liquidators"), [actForProfit]);
    // At most 50 quote: 160,586 gas cost as much at 1,600 gwei and 194.61.
    const dueAt = async (gasPriceGwei: number) =>
      liquidators.act((await viewOf({ collateral: 3_000n, gasPriceGwei })).view);
    expect(await dueAt(1_590)).to.have.length(1);
    expect(await dueAt(1_610)).to.deep.equal([]);
  });
});
