import { expect } from "chai";
import { DepthShock } from "../../../../src/simulation/agents/depthShock.ts";
import { LiquidityProviders } from "../../../../src/simulation/agents/liquidityProviders.ts";
import type { Action, ActionResult, SharesView } from "../../../../src/simulation/backend.ts";
import { createRandom } from "../../../../src/simulation/random.ts";
import type { Wad } from "../../../../src/units.ts";
import { agentView, POOL, PRICE, SOLVENCY, stubBackend } from "../../../support/agentView.ts";

const START = 1_767_225_601;
const DAY = 86_400;

const done = (action: Action, events: ActionResult["events"] = []): ActionResult => ({
  action,
  ok: true,
  events,
});

describe("Liquidity providers of the margin pool", () => {
  const HABITS = { entriesPerDay: 1, meanStayDays: 2, meanDepositQuote: 100_000 };
  const SHARES: SharesView = {
    shares: 0n,
    totalShares: 10n ** 19n,
    maxRedeem: 0n,
    maxDeposit: 10n ** 12n,
  };

  const viewOf = (shares: Partial<SharesView>, changes = {}) =>
    agentView({
      backend: stubBackend({ shares: async () => ({ ...SHARES, ...shares }) }),
      ...changes,
    });

  it("enter as often as their habit says, with deposits of the mean size", async () => {
    const providers = new LiquidityProviders(1, 200, HABITS, createRandom(1, "lp"));
    const entered = new Map<number, bigint>();
    for (let step = 0; step < 288; step++) {
      const view = viewOf({}, { at: START + 300 * step });
      for (const action of await providers.act(view))
        if (action.kind === "depositShares") entered.set(action.lp, action.assets);
    }
    // 1 - 1/e of 200 after a day
    expect(entered.size).to.be.within(105, 148);
    const mean =
      [...entered.values()].reduce((sum, assets) => sum + assets, 0n) / BigInt(entered.size);
    expect(Number(mean) / 1e6).to.be.within(75_000, 130_000);
  });

  it("deposit no more than the pool takes, and nothing at a bad price", async () => {
    const eager = { ...HABITS, entriesPerDay: 1e9 };
    const providers = new LiquidityProviders(1, 1, eager, createRandom(1, "lp"));
    expect(await providers.act(viewOf({ maxDeposit: 0n }))).to.deep.equal([]);
    expect(await providers.act(viewOf({}, { priceGood: false }))).to.deep.equal([]);
    expect(await providers.act(viewOf({ maxDeposit: 7n }))).to.deep.equal([
      { kind: "depositShares", lp: 1, assets: 7n },
    ]);
  });

  it("leave step by step as far as the pool lets them, and may come back", async () => {
    const eager = { ...HABITS, entriesPerDay: 1e9, meanStayDays: 1e-9 };
    const providers = new LiquidityProviders(4, 1, eager, createRandom(1, "lp"));
    const [deposit] = await providers.act(viewOf({}));
    const shares = 1_000_000n;
    providers.observe([done(deposit!, [{ kind: "SharesDeposited", lp: 4, assets: 1n, shares }])]);
    const later = { at: START + DAY };
    expect(await providers.act(viewOf({ shares, maxRedeem: 0n }, later))).to.deep.equal([]);
    expect(await providers.act(viewOf({ shares, maxRedeem: 500_000n }, later))).to.deep.equal([
      { kind: "redeemShares", lp: 4, shares: 499_500n },
    ]);
    const rest = { shares: 500_500n, maxRedeem: 500_500n };
    const [last] = await providers.act(viewOf(rest, later));
    expect(last).to.deep.equal({ kind: "redeemShares", lp: 4, shares: 500_500n });
    providers.observe([
      done(last!, [{ kind: "SharesRedeemed", lp: 4, assets: 1n, shares: 1_000_000n }]),
    ]);
    const [again] = await providers.act(viewOf({}, later));
    expect(again).to.include({ kind: "depositShares", lp: 4 });
  });

  it("take their part of a settled pool in kind, once", async () => {
    const eager = { ...HABITS, entriesPerDay: 1e9 };
    const providers = new LiquidityProviders(1, 2, eager, createRandom(1, "lp"));
    const deposits = await providers.act(viewOf({}));
    providers.observe([
      done(deposits[0]!, [{ kind: "SharesDeposited", lp: 1, assets: 1n, shares: 9n }]),
    ]);
    const settled = viewOf({}, { solvency: { ...SOLVENCY, riskState: "Settled" } });
    const [redemption, ...others] = await providers.act(settled);
    expect(redemption).to.deep.equal({ kind: "redeemInKind", lp: 1, shares: 9n });
    expect(others).to.deep.equal([]);
    const amounts = { shares: 9n, baseAmount: 1n, quoteAmount: 1n };
    providers.observe([done(redemption!, [{ kind: "RedeemedInKind", lp: 1, ...amounts }])]);
    expect(await providers.act(settled)).to.deep.equal([]);
  });
});

describe("A depth shock", () => {
  const HABITS = { drawdown: 0.1, share: 0.6, absenceSeconds: 3_600 };
  const LIQUIDITY = 10n ** 15n;
  const backend = stubBackend({
    liquidity: async () => ({ liquidity: LIQUIDITY, totalLiquidity: LIQUIDITY + 1_000n }),
  });
  const at = (percent: bigint, seconds = 0) =>
    agentView({ backend, price: ((PRICE * percent) / 100n) as Wad, at: START + seconds });

  it("takes its share out at the drawdown from the high, not before", async () => {
    const shock = new DepthShock(HABITS);
    expect(await shock.act(at(100n))).to.deep.equal([]);
    expect(await shock.act(at(120n))).to.deep.equal([]);
    expect(await shock.act(at(109n))).to.deep.equal([]);
    expect(await shock.act(at(107n))).to.deep.equal([
      { kind: "removeLiquidity", provider: 0, liquidity: (LIQUIDITY * 6n) / 10n },
    ]);
  });

  it("brings the same liquidity back later, and counts the next crash from there", async () => {
    const shock = new DepthShock(HABITS);
    await shock.act(at(100n));
    const [removal] = await shock.act(at(80n));
    shock.observe([done(removal!)], at(80n));
    expect(await shock.act(at(70n, 3_599))).to.deep.equal([]);
    const [addition] = await shock.act(at(70n, 3_600));
    if (addition?.kind !== "addLiquidity") throw new Error("it does not come back");
    const away = (LIQUIDITY * 6n) / 10n;
    const minted = (amount: bigint, reserve: bigint) => (amount * (LIQUIDITY + 1_000n)) / reserve;
    const units = [
      minted(addition.amountBase, POOL.reserveBase),
      minted(addition.amountQuote, POOL.reserveQuote),
    ];
    for (const liquidity of units) {
      expect(liquidity >= away).to.equal(true);
      expect(Number(liquidity - away) / Number(away)).to.be.lessThan(1e-6);
    }
    shock.observe([done(addition)], at(70n, 3_600));
    expect(await shock.act(at(64n, 3_900))).to.deep.equal([]);
    expect(await shock.act(at(62n, 4_200))).to.have.length(1);
  });

  it("refuses to take all or nothing", () => {
    for (const share of [0, 1, -1, Number.NaN])
      expect(() => new DepthShock({ ...HABITS, share })).to.throw(RangeError, "above 0, below 1");
  });
});
