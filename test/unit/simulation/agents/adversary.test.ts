import { expect } from "chai";
import { Accounts } from "../../../../src/simulation/agents/accounts.ts";
import {
  Adversary,
  foreseenMove,
  foresightBars,
} from "../../../../src/simulation/agents/adversary.ts";
import { OrderQueue } from "../../../../src/simulation/agents/orderQueue.ts";
import type { Action } from "../../../../src/simulation/backend.ts";
import type { Bar } from "../../../../src/simulation/paths/pricePath.ts";
import { parseDecimal, toNumber, type Wad } from "../../../../src/units.ts";
import { agentView, PRICE, SOLVENCY, stubBackend } from "../../../support/agentView.ts";
import { expectNear } from "../../../support/expectNear.ts";

const START = 1_767_225_600;

/** Bars at these factors of the price now. */
const bars = (...factors: string[]): Bar[] =>
  factors.map((factor) => ({ close: ((PRICE * parseDecimal(factor, 4)) / 10_000n) as Wad }));

describe("Foresight", () => {
  it("acts on more than 4 % over five minutes or 5 % in the next step", () => {
    const seen = (ahead: number, ...factors: string[]) =>
      foreseenMove(PRICE, bars(...factors), ahead);
    expect(seen(1, "1.0399")).to.equal(0);
    expectNear(seen(1, "1.0401"), 0.0401, 1e-9);
    expectNear(seen(1, "0.9599"), -0.0401, 1e-9);
    expect(seen(3, "1.049", "1.06", "1.039")).to.equal(0);
    expectNear(seen(3, "1.051", "1.06", "1.039"), 0.051, 1e-9);
    expectNear(seen(3, "1.01", "1.03", "1.05"), 0.05, 1e-9);
    expect(seen(3), "the path ends").to.equal(0);
    expectNear(seen(3, "0.9"), -0.1, 1e-9);
  });

  it("is one bar of five minutes, or 25 steps of 12 s", () => {
    expect([300, 12, 3_600].map(foresightBars)).to.deep.equal([1, 25, 1]);
  });
});

describe("An adversary", () => {
  /** Accounts 40 (outright), 41 (long leg) and 42 (short leg) with these sizes in whole base tokens. */
  async function viewOf(sizes: [number, number, number], factors: string[], changes = {}) {
    const account = async (trader: number) => ({
      size: BigInt(sizes[trader - 40] ?? 0) * 10n ** 18n,
      entryNotional: 0n,
      collateral: 10_000_000_000000n,
    });
    const backend = stubBackend({ account });
    const accounts = new Accounts(backend);
    const order = { sizeDelta: 1n, acceptablePrice: 1n, expiresAt: 0 };
    await accounts.observe(
      [40, 41, 42].map((trader) => ({
        action: { kind: "requestOrder", trader, ...order },
        ok: true,
        events: [],
      })),
      START,
    );
    return agentView({ backend, accounts, next: bars(...factors), ...changes });
  }
  /** Whole base tokens ordered per account. */
  const ordered = (actions: readonly Action[]) =>
    Object.fromEntries(
      actions.flatMap((action) =>
        action.kind === "requestOrder" ? [[action.trader, toNumber(action.sizeDelta, 18)]] : [],
      ),
    );
  const LEG = 1_000_000 / 194.61; // 10 % of equity

  it("opens a matched long and short at leisure, with margin for both", async () => {
    const actions = await new Adversary(40, 0.5).act(agentView({ next: bars("1.001") }));
    const sizes = ordered(actions);
    expect(Object.keys(sizes)).to.deep.equal(["41", "42"]);
    expectNear(sizes[41]!, LEG, 0.001);
    expectNear(sizes[42]!, -LEG, 0.001);
    const margins = actions.filter(({ kind }) => kind === "depositMargin");
    expect(margins.map((action) => "amount" in action && action.amount)).to.deep.equal([
      500_000_500000n,
      500_000_500000n,
    ]);
  });

  it("before a rise closes the short leg and goes long as far as the limits allow", async () => {
    const view = await viewOf([0, 5_138, -5_138], ["1.06"]);
    const actions = await new Adversary(40, 0.5).act(view);
    const sizes = ordered(actions);
    expect(Object.keys(sizes)).to.deep.equal(["40", "42"]);
    expect(sizes[42]).to.equal(5_138);
    // 0.9 of holdings less w E_bid, and 0.98 of that
    const holdings = 5_000_000 + toNumber(SOLVENCY.inventoryBase, 18) * 194.61;
    expectNear(sizes[40]!, (0.98 * (0.9 * holdings - 0.5 * 9_997_500)) / 194.61, 0.01);
    for (const action of actions) {
      if (action.kind !== "requestOrder") continue;
      expectNear(toNumber(action.acceptablePrice, 18), 194.61 * 1.055, 1e-6);
    }
  });

  it("before a fall closes the long leg and goes short down to what LPs hold", async () => {
    const view = await viewOf([0, 5_138, -5_138], ["0.94"]);
    const sizes = ordered(await new Adversary(40, 0.5).act(view));
    expect(sizes[41]).to.equal(-5_138);
    expectNear(sizes[40]!, (-0.98 * 0.5 * 9_997_500) / 194.61, 0.01);
  });

  it("turns around when what it foresees does", async () => {
    const view = await viewOf([1_000, 0, 0], ["0.94"]);
    const sizes = ordered(await new Adversary(40, 0.5).act(view));
    expectNear(sizes[40]!, -1_000 - (0.98 * 0.5 * 9_997_500) / 194.61, 0.01);
  });

  it("takes no more than the limits leave, and keeps what it already has", async () => {
    const full = await viewOf([20_000, 5_138, 0], ["1.06"], {
      solvency: { ...SOLVENCY, skew: 25_138n * 10n ** 18n },
    });
    expect(ordered(await new Adversary(40, 0.5).act(full))).to.deep.equal({});
  });

  it("takes its profit afterwards and makes the pair whole", async () => {
    const view = await viewOf([10_000, 5_138, 0], ["1"]);
    const sizes = ordered(await new Adversary(40, 0.5).act(view));
    expect(sizes[40]).to.equal(-10_000);
    expect(sizes[41], "whole already").to.equal(undefined);
    expectNear(sizes[42]!, -LEG, 0.001);
  });

  it("waits for its own orders, and for a good price", async () => {
    const orders = new OrderQueue();
    const view = await viewOf([0, 0, 0], ["1.06"], { orders });
    const adversary = new Adversary(40, 0.5);
    const actions = await adversary.act(view);
    orders.observe(
      actions.map((action) => ({ action, ok: true, events: [] })),
      1,
    );
    expect(await adversary.act(view)).to.deep.equal([]);
    const blind = await viewOf([0, 0, 0], ["1.06"], { priceGood: false });
    expect(await adversary.act(blind)).to.deep.equal([]);
  });
});
