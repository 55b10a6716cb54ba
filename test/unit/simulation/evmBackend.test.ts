import { expect } from "chai";
import {
  DEPLOYMENT_SECONDS,
  type DeploymentStep,
  deploymentSteps,
  deploymentTime,
} from "../../../src/deploymentSchedule.ts";
import type { Action, ActionResult, ProtocolEvent } from "../../../src/simulation/backend.ts";
import { ViewRefused } from "../../../src/simulation/backend.ts";
import { createEvmBackend, type EvmBackend } from "../../../src/simulation/evmBackend.ts";
import type { Wad } from "../../../src/units.ts";

const START = 1_767_225_600;
const PRICE = 194_610000000000000000n as Wad;
const SETUP = {
  startsAt: START,
  initialPrice: PRICE,
  traderCount: 2,
  actorCounts: { keeper: 2, lp: 2, provider: 2 },
};

/** What each call of the deployment is sent to, for steps that are calls. */
const CALLED: Partial<Record<DeploymentStep, [contract: string, method: string]>> = {
  createPair: ["factory", "createPair"],
  fundPoolBase: ["base", "mint"],
  fundPoolQuote: ["quote", "mint"],
  firstLiquidity: ["pool", "mint(address)"],
  fundLpBase: ["base", "mint"],
  fundLpQuote: ["quote", "mint"],
  approveBase: ["base", "approve"],
  approveQuote: ["quote", "approve"],
  bootstrap: ["marginPool", "bootstrap"],
  fundInsurance: ["quote", "mint"],
  skim: ["marginPool", "skim"],
  poke: ["rebalancer", "poke"],
};
const CREATED = ["base", "quote", "feed", "factory", "router", "priceOracle", "volatilityOracle"];

describe("The backend of contracts", () => {
  let backend: EvmBackend;
  let time = START;

  beforeEach(async () => {
    time = START;
    backend = await createEvmBackend(SETUP);
  });

  afterEach(() => backend.close());

  async function mine(actions: Action[], seconds = 10): Promise<ActionResult[]> {
    time += seconds;
    return backend.mine(time, actions);
  }

  async function events(actions: Action[], seconds = 10): Promise<ProtocolEvent[]> {
    const results = await mine(actions, seconds);
    for (const { ok, error, action } of results)
      expect(ok, `${action.kind}: ${error}`).to.equal(true);
    return results.flatMap((result) => result.events);
  }

  it("mines transaction i of the deployment 600 - i seconds before the path", async () => {
    const { ethers } = backend.connection;
    const steps = deploymentSteps();
    for (const [index, step] of steps.entries()) {
      const block = (await ethers.provider.getBlock(index + 1))!;
      expect(block.timestamp, step).to.equal(START - DEPLOYMENT_SECONDS + index);
      expect(block.timestamp, step).to.equal(deploymentTime(START, step));
      expect(block.transactions.length, step).to.equal(1);
      const receipt = (await ethers.provider.getTransactionReceipt(block.transactions[0]!))!;
      const transaction = (await receipt.getTransaction())!;
      const called = CALLED[step];
      const contracts = backend.protocol as unknown as Record<
        string,
        {
          getAddress(): Promise<string>;
          getFunction(name: string): { fragment: { selector: string } };
        }
      >;
      if (called === undefined) {
        expect(receipt.contractAddress, step).to.be.a("string");
        if (CREATED.includes(step) || step === "marginPool" || step === "timelock")
          expect(receipt.contractAddress).to.equal(await contracts[step]!.getAddress());
        continue;
      }
      const [name, method] = called;
      expect(transaction.to, step).to.equal(await contracts[name]!.getAddress());
      const { selector } = contracts[name]!.getFunction(method).fragment;
      expect(transaction.data.slice(0, 10), step).to.equal(selector);
    }
    const next = (await ethers.provider.getBlock(steps.length + 1))!;
    expect(next.timestamp).to.equal(START - 1);
    expect((await ethers.provider.getBlock("latest"))!.timestamp).to.equal(START);
  });

  it("leaves out steps that the settings leave out", () => {
    const bare = { poolQuoteDepth: 0n, lpEquity: 1n, insurance: 0n };
    expect(deploymentSteps(bare)).to.not.include.members(["firstLiquidity", "skim", "poke"]);
    expect(() => deploymentTime(START, "poke", bare)).to.throw(RangeError, /no step poke/);
  });

  it("starts from exactly the same state each time", async () => {
    const { marginPool, volatilityOracle, pool } = backend.protocol;
    const state = async (one: EvmBackend) => ({
      solvency: await one.solvency(),
      ledgers: await one.ledgers(),
      plan: await one.planRebalance(START + 1_000),
      observe: await one.protocol.pool.observe(),
      clock: await one.protocol.marginPool.riskClock(),
      samples: await one.protocol.volatilityOracle.lastSample(),
      twap: await one.protocol.volatilityOracle.snapshotTimes(),
    });
    expect(await marginPool.totalSupply()).to.not.equal(0n);
    expect(await pool.totalSupply()).to.not.equal(0n);
    expect(await volatilityOracle.realizedVolatilityWad()).to.not.equal(0n);
    const other = await createEvmBackend(SETUP);
    try {
      expect(await state(other)).to.deep.equal(await state(backend));
    } finally {
      await other.close();
    }
  });

  it("lets liquidity providers of both pools come and go", async () => {
    const assets = 50_017_000000n;
    const deposited = await events([{ kind: "depositShares", lp: 1, assets }]);
    const { shares, totalShares } = await backend.shares(1);
    expect(deposited).to.deep.equal([{ kind: "SharesDeposited", lp: 1, assets, shares }]);
    expect(totalShares > shares, "the deployer holds the rest").to.equal(true);
    expect((await backend.shares(1)).maxRedeem, "locked").to.equal(0n);
    await events([{ kind: "publishPrice", price: PRICE }, { kind: "poke" }], 601);
    expect((await backend.shares(1)).maxRedeem).to.equal(shares);
    const [redeemed] = await events([{ kind: "redeemShares", lp: 1, shares }]);
    expect(redeemed).to.include({ kind: "SharesRedeemed", lp: 1, shares });

    const { reserveBase, reserveQuote } = await backend.pool();
    const added = await events([
      {
        kind: "addLiquidity",
        provider: 1,
        amountBase: reserveBase / 10n,
        amountQuote: reserveQuote,
      },
    ]);
    expect(added).to.deep.equal([
      { kind: "LiquidityAdded", base: reserveBase / 10n, quote: reserveQuote / 10n },
    ]);
    const { liquidity } = await backend.liquidity(1);
    const removed = await events([{ kind: "removeLiquidity", provider: 1, liquidity }]);
    expect(removed[0]).to.include({ kind: "LiquidityRemoved" });
    expect((await backend.liquidity(1)).liquidity).to.equal(0n);
    const { liquidity: own, totalLiquidity } = await backend.liquidity(0);
    expect(totalLiquidity - own, "all but the locked minimum is the deployer's").to.equal(1_000n);
    await events([{ kind: "removeLiquidity", provider: 0, liquidity: own / 2n }]);
    expect((await backend.pool()).reserveBase < reserveBase).to.equal(true);
  });

  it("tells who filled, with every part of the price, and credits the keeper who claims it", async () => {
    const expiresAt = START + 300;
    const order = { trader: 1, sizeDelta: 10n ** 21n, acceptablePrice: 2n * PRICE, expiresAt };
    await events([
      { kind: "depositMargin", trader: 1, amount: 100_003_000000n },
      { kind: "requestOrder", ...order },
    ]);
    const [filled] = await events([
      { kind: "publishPrice", price: PRICE },
      { kind: "executeOrder", trader: 1, keeper: 1 },
    ]);
    const { size, entryNotional, collateral } = await backend.account(1);
    expect(filled).to.include({ kind: "OrderExecuted", trader: 1, keeper: 1, remaining: 0n });
    expect(filled).to.include({ size, entryNotional, collateral, indexPrice: PRICE });
    if (filled?.kind !== "OrderExecuted") throw new Error("no fill");
    const costs = filled.premium + filled.takerFee + filled.hedgeCharge;
    const perUnit = (costs * 10n ** 30n) / size;
    const side = (PRICE * 10_005n) / 10_000n;
    expect(filled.fillPrice - side - perUnit, "P+ and costs per unit").to.be.oneOf([0n, 1n]);
    expect((await backend.ledgers()).longOpenInterest).to.equal(size);
    expect(await backend.credit("keeper", 1)).to.equal(500_000n);
    const paid = await events([{ kind: "claim", role: "keeper", actor: 1 }]);
    expect(paid).to.deep.equal([
      { kind: "CreditPaid", role: "keeper", actor: 1, amount: 500_000n },
    ]);
  });

  it("lets an order be canceled before its delay and names the error afterwards", async () => {
    const expiresAt = START + 300;
    const order = { trader: 0, sizeDelta: 10n ** 18n, acceptablePrice: 2n * PRICE, expiresAt };
    const deposit = { kind: "depositMargin", trader: 0, amount: 1_000_000000n } as const;
    const request = { kind: "requestOrder", ...order } as const;
    const cancel = { kind: "cancelOrder", trader: 0 } as const;
    expect(await events([deposit, request, cancel])).to.deep.equal([
      { kind: "OrderCanceled", trader: 0 },
    ]);
    await events([request]);
    const [late] = await mine([cancel]);
    expect(late).to.include({ ok: false, error: "MarginPool_OrderNotCancelable" });
  });

  it("refuses views of a bad price by name, and settles a pool whose feed is dead for a day", async () => {
    const [early] = await mine([{ kind: "settle" }]);
    expect(early).to.include({ ok: false, error: "MarginPool_FeedAlive" });
    const [none] = await mine([{ kind: "autoDeleverage" }]);
    expect(none).to.include({ ok: false, error: "MarginPool_NotDeleveraging" });
    const [reported] = await events([{ kind: "settle" }], 4_000);
    expect(reported).to.deep.equal({ kind: "DeadFeedReported", deadAt: time + 86_400 });
    for (const view of [
      () => backend.solvency(),
      () => backend.position(0),
      () => backend.planRebalance(time + 1),
    ]) {
      const thrown = await Promise.resolve(view()).catch((error: unknown) => error);
      expect(thrown).to.be.instanceOf(ViewRefused);
      expect((thrown as ViewRefused).error).to.equal("PriceOracle_PriceStale");
    }
    const { maxRedeem, maxDeposit } = await backend.shares(0);
    expect([maxRedeem, maxDeposit]).to.deep.equal([0n, 0n]);

    const settled = await events([{ kind: "settle", keeper: 1 }], 86_401);
    expect(settled.map(({ kind }) => kind)).to.deep.equal([
      "RiskStateChanged",
      "SettlementStarted",
    ]);
    expect((await backend.solvency()).riskState).to.equal("Settled");
    const [final] = await events([{ kind: "finalizeSettlement" }]);
    expect(final).to.include({ kind: "SettlementFinalized", claimsTotal: 0n });
    const { settledAt, finalizedAt, price } = await backend.settlement();
    expect([settledAt, finalizedAt, price]).to.deep.equal([time - 10, time, PRICE]);
    const { shares } = await backend.shares(0);
    const [left] = await events([{ kind: "redeemInKind", lp: 0, shares }]);
    expect(left).to.include({ kind: "RedeemedInKind", lp: 0, shares });
  });
});
