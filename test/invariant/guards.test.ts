import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import type { BaseContract, Interface } from "ethers";
import { network } from "hardhat";
import {
  arbitrage,
  currentPrice,
  deployFixture,
  depositMargin,
  MAX_UINT256,
  now,
  type ProtocolFixture,
  passTime,
  publishPrice,
  trade,
  WAD,
} from "../support/protocolFixture.ts";
import { CAMPAIGN_SCALE, execute, nextRound, order, request } from "../support/traderFixture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time, setCode } = connection.networkHelpers;

/** A pool whose quote token calls out during every transfer. */
async function hooked(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, { initialTargetVolatility: WAD / 100n });
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 400_003n * WAD);
  await trade(f, f.alice, 1_501n * WAD);
  await request(f, f.bob, -101n * WAD);
  await nextRound(f);
  await f.marginPool.connect(f.keeper).executeOrder(f.bob);
  await request(f, f.bob, 7n * WAD);
  await passTime(f, 100n);
  const token = await connection.ethers.deployContract("MockHookERC20", ["Q", "Q", 6]);
  const code = await connection.ethers.provider.getCode(token);
  await setCode(await f.quote.getAddress(), code);
  return f;
}

/** An argument of every type, for calls that a lock refuses before it looks at them. */
function argumentOf(type: string, who: string): unknown {
  if (type === "address") return who;
  if (type === "bool") return true;
  if (type === "tuple") return [500n, 6_000n, 400n, 1_000n];
  if (type === "bytes32") return `0x${"00".repeat(32)}`;
  if (type === "bytes") return "0x";
  return 1n;
}

describe("I22: while the pool calls a token", () => {
  /** What needs no lock: it reads or writes nothing that an action has in hand. */
  const OPEN = new Set([
    ...[
      "allowance",
      "approve",
      "asset",
      "balanceOf",
      "base",
      "creditedOf",
      "decimals",
      "executionFee",
    ],
    ...[
      "funding",
      "guardian",
      "marginAccount",
      "name",
      "order",
      "owner",
      "pendingOwner",
      "parameters",
      "pool",
      "quote",
    ],
    ...["rebalancer", "riskClock", "settlement", "shareLock", "skewReference", "symbol"],
    ...[
      "targetBaseWeightWad",
      "totalSupply",
      "transfer",
      "transferFrom",
      "volatilityOracle",
      "badDebt",
    ],
  ]);
  /** What only the owner or the rebalancer may call: it reverts for whoever else calls, lock or not. */
  const PRIVILEGED = new Set(
    "acceptOwnership cacheBand pauseNewRisk renounceOwnership setGuardian setParameters tradeWithPool transferOwnership unpauseNewRisk".split(
      " ",
    ),
  );

  it("every entry point and every view of prices reverts, from a transfer in and a transfer out", async () => {
    const f = await loadFixture(hooked);
    const token = await connection.ethers.getContractAt("MockHookERC20", f.quote);
    const pool = await f.marginPool.getAddress();
    const lock = f.marginPool.interface.getError("ReentrancyGuardReentrantCall")!.selector;
    const functions: string[] = [];
    const interface_: Interface = f.marginPool.interface;
    interface_.forEachFunction((one) => functions.push(one.format()));
    const transfers = {
      depositMargin: () => f.marginPool.connect(f.alice).depositMargin(1_000_003n),
      withdrawMargin: () => f.marginPool.connect(f.bob).withdrawMargin(1n),
      deposit: () => f.marginPool.connect(f.carol).deposit(10n ** 9n, f.carol),
      claim: () => f.marginPool.connect(f.keeper).claim(),
    };
    const refused = new Set<string>();
    const clean = await takeSnapshot();
    const tried = Object.entries(transfers).slice(0, CAMPAIGN_SCALE === 1 ? 2 : 4);
    for (const [name, transfer] of tried) {
      for (const format of functions) {
        const fragment = interface_.getFunction(format)!;
        const args = fragment.inputs.map(({ type, baseType }) =>
          argumentOf(baseType === "tuple" ? "tuple" : type, f.alice.address),
        );
        await token.arm(pool, interface_.encodeFunctionData(fragment, args), name !== "claim");
        await transfer();
        expect(await token.called(), `${name} moves the token`).to.equal(true);
        const [succeeded, result] = [await token.succeeded(), await token.result()];
        if (name === "claim") await clean.restore(); // there is one credit to claim
        if (OPEN.has(fragment.name)) continue;
        expect(succeeded, `I22: ${fragment.name} during ${name}`).to.equal(false);
        if (PRIVILEGED.has(fragment.name)) continue;
        expect(result, `I22: ${fragment.name} during ${name} meets the lock`).to.equal(lock);
        refused.add(fragment.name);
      }
      await clean.restore();
    }
    for (const name of [
      "executeOrder",
      "totalAssets",
      "poolState",
      "ledgers",
      "position",
      "claim",
      "settle",
    ]) {
      expect(refused.has(name), name).to.equal(true);
    }
    // the rebalancer's ways in and out are the pool's
    const rebalancer: BaseContract = f.rebalancer;
    for (const method of ["rebalance", "poke", "previewRebalance"]) {
      await token.arm(rebalancer, rebalancer.interface.encodeFunctionData(method), true);
      await transfers.depositMargin();
      expect(await token.succeeded(), `I22: ${method} during a deposit`).to.equal(false);
      expect(await token.result(), `I22: ${method} meets the lock`).to.equal(lock);
    }
    console.log(
      `      ${functions.length} functions; ${refused.size} meet the lock: ${[...refused].join(" ")}`,
    );
  });

  it("what stays open does not see half of an action", async () => {
    const f = await loadFixture(hooked);
    const token = await connection.ethers.getContractAt("MockHookERC20", f.quote);
    // the account is updated before the token is called: a reader sees margin that is on its way, never the other way round
    const { collateral } = await f.marginPool.marginAccount(f.alice);
    const data = f.marginPool.interface.encodeFunctionData("marginAccount", [f.alice.address]);
    await token.arm(f.marginPool, data, true);
    await f.marginPool.connect(f.bob).withdrawMargin(1n);
    const [seen] = f.marginPool.interface.decodeFunctionResult(
      "marginAccount",
      await token.result(),
    );
    expect((seen as { collateral: bigint }).collateral).to.equal(collateral);
  });
});

/** Alice long and sick, bob with an order to fill, the owner with free shares, the keeper with credit and an order. */
async function busy(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, { initialTargetVolatility: WAD / 100n });
  await depositMargin(f, f.alice, 60_003n * WAD);
  for (const trader of [f.bob, f.carol]) await depositMargin(f, trader, 900_007n * WAD);
  await passTime(f, 660n);
  await order(f, f.alice, 3_501n * WAD);
  await order(f, f.carol, -2_001n * WAD);
  await order(f, f.bob, 2_001n * WAD);
  await passTime(f, 1_900n);
  await passTime(f, 1_900n);
  return f;
}

type Attempt = (f: ProtocolFixture) => Promise<unknown>;
const as = (f: ProtocolFixture, who: HardhatEthersSigner) => f.marginPool.connect(who);
const until = async (f: ProtocolFixture) => (await now(f)) + 300n;

/** Everything anybody may do in a pool that lives. */
const ACTIONS: Readonly<Record<string, Attempt>> = {
  depositMargin: (f) => as(f, f.alice).depositMargin.staticCall(1_234_567n),
  "withdrawMargin without a position": (f) => as(f, f.keeper).withdrawMargin.staticCall(5n),
  "withdrawMargin with a position": (f) => as(f, f.carol).withdrawMargin.staticCall(5n),
  "requestOrder that opens": async (f) =>
    as(f, f.keeper).requestOrder.staticCall(10n ** 18n, MAX_UINT256, await until(f)),
  "requestOrder that closes": async (f) =>
    as(f, f.carol).requestOrder.staticCall(10n ** 18n, MAX_UINT256, await until(f)),
  executeOrder: (f) => f.marginPool.executeOrder.staticCall(f.bob),
  liquidate: (f) => f.marginPool.liquidate.staticCall(f.alice),
  claim: (f) => as(f, f.keeper).claim.staticCall(),
  skim: (f) => f.marginPool.skim.staticCall(),
  sync: (f) => f.marginPool.sync.staticCall(),
  deposit: (f) => as(f, f.carol).deposit.staticCall(10n ** 10n, f.carol),
  mint: (f) => as(f, f.carol).mint.staticCall(10n ** 16n, f.carol),
  withdraw: (f) => as(f, f.owner).withdraw.staticCall(10n ** 9n, f.owner, f.owner),
  redeem: (f) => as(f, f.owner).redeem.staticCall(10n ** 15n, f.owner, f.owner),
  "transfer of shares": (f) => as(f, f.owner).transfer.staticCall(f.bob, 1_000n),
  poke: (f) => f.rebalancer.poke.staticCall(),
  totalAssets: (f) => f.marginPool.totalAssets(),
  convertToShares: (f) => f.marginPool.convertToShares(10n ** 6n),
  maxDeposit: (f) => f.marginPool.maxDeposit(f.owner),
  maxRedeem: (f) => f.marginPool.maxRedeem(f.owner),
  ledgers: (f) => f.marginPool.ledgers(),
  poolState: (f) => f.marginPool.poolState(),
  snapshot: (f) => f.marginPool.snapshot(),
  position: (f) => f.marginPool.position(f.alice),
  marginAccount: (f) => f.marginPool.marginAccount(f.alice),
  previewOrder: (f) => f.marginPool.previewOrder(f.bob),
  previewDeposit: (f) => f.marginPool.previewDeposit(10n ** 10n),
  previewRedeem: (f) => f.marginPool.previewRedeem(10n ** 15n),
  previewRebalance: (f) => f.rebalancer.previewRebalance(),
};

/** Names of the actions that go through, having made all of them possible at a good price. */
async function possible(f: ProtocolFixture, spoil: () => Promise<unknown>): Promise<string[]> {
  const price = await currentPrice(f);
  const { equity, size, maintenanceMargin } = await f.marginPool.position(f.alice);
  await publishPrice(f, price - ((equity - maintenanceMargin / 2n) * 10n ** 12n * WAD) / size);
  await arbitrage(f);
  await passTime(f, 3_700n);
  await depositMargin(f, f.keeper, 10_009n * WAD);
  await request(f, f.bob, -101n * WAD);
  await nextRound(f);
  await f.volatilityOracle.poke();
  await spoil();
  const through: string[] = [];
  for (const [name, attempt] of Object.entries(ACTIONS)) {
    try {
      await attempt(f);
      through.push(name);
    } catch (error) {
      if (!/revert/.test(String(error))) throw error;
    }
  }
  return through;
}

describe("I23: a bad price", () => {
  /** What needs a price, by section 3; the rest goes on. */
  const NEEDS_PRICE = new Set([
    ...["withdrawMargin with a position", "requestOrder that opens", "requestOrder that closes"],
    ...["executeOrder", "liquidate", "sync", "deposit", "mint", "withdraw", "redeem", "poke"],
    ...["poolState", "snapshot", "position", "previewOrder", "previewDeposit", "previewRedeem"],
    "previewRebalance",
  ]);
  const bad: Readonly<Record<string, (f: ProtocolFixture) => Promise<unknown>>> = {
    stale: () => time.increase(3_901),
    zero: (f) => f.feed.setPrice(0n),
    negative: (f) => f.feed.setPrice(-1n),
    incomplete: async (f) => {
      const id = (await f.feed.latestRoundId()) + 1n;
      await f.feed.setRound(id, 19_461_000_000n, 1n, 0n, id);
    },
    "of an older answer": async (f) => {
      const [id, at] = [(await f.feed.latestRoundId()) + 1n, await now(f)];
      await f.feed.setRound(id, 19_461_000_000n, at, at, id - 1n);
    },
    "from the future": async (f) => {
      const [id, at] = [(await f.feed.latestRoundId()) + 1n, (await now(f)) + 90_000n];
      await f.feed.setRound(id, 19_461_000_000n, at, at, id);
    },
    "above the bounds": (f) => f.feed.setPrice(10n ** 15n),
    "below the bounds": (f) => f.feed.setPrice(1n),
    regressing: async (f) => {
      const id = (await f.feed.latestRoundId()) - 1n;
      const [, answer, startedAt, updatedAt] = await f.feed.getRoundData(id);
      await f.feed.setRound(id, answer, startedAt, updatedAt, id);
    },
    "without an answer": async (f) => setCode(await f.feed.getAddress(), "0x60006000fd"),
    "without a feed": async (f) => setCode(await f.feed.getAddress(), "0x"),
  };

  it("is not there at first: every action of the table goes through", async () => {
    const f = await loadFixture(busy);
    expect(await possible(f, async () => undefined)).to.have.members(Object.keys(ACTIONS));
  });

  for (const [kind, spoil] of Object.entries(bad)) {
    it(`blocks what section 3 says and nothing else: ${kind}`, async () => {
      const f = await loadFixture(busy);
      const through = await possible(f, () => spoil(f));
      const expected = Object.keys(ACTIONS).filter((name) => !NEEDS_PRICE.has(name));
      // by then the order has expired, and that needs no price
      if (kind === "stale") expected.push("previewOrder");
      expect(through, "I23: a bad price blocks what section 3 says").to.have.members(expected);
    });
  }
});

describe("I24: under the guardian's pause", () => {
  it("nothing is blocked but openings and LP entry", async () => {
    const f = await loadFixture(busy);
    const through = await possible(f, () => f.marginPool.connect(f.owner).pauseNewRisk());
    const blocked = new Set(["deposit", "mint"]);
    const expected = Object.keys(ACTIONS).filter((name) => !blocked.has(name));
    expect(through, "I24: under any pause users can close, top up and settle").to.have.members(
      expected,
    );
    expect(await f.marginPool.maxDeposit(f.carol)).to.equal(0n);
    expect(await f.marginPool.maxMint(f.carol)).to.equal(0n);
  });

  it("an order that opens waits, a close fills, one that raises |K| in parts", async () => {
    const f = await loadFixture(busy);
    await f.marginPool.connect(f.owner).pauseNewRisk();
    await depositMargin(f, f.keeper, 100_009n * WAD);
    await request(f, f.keeper, 10n * WAD);
    await nextRound(f);
    await expect(execute(f, f.keeper)).to.be.revertedWithCustomError(
      f.marginPool,
      "MarginPool_Paused",
    );
    // carol is the short of a long skew: her close raises |K|
    const { size } = await f.marginPool.marginAccount(f.carol);
    let left = size;
    await request(f, f.carol, -size);
    for (let n = 0; n < 20 && left !== 0n; n += 1) {
      await nextRound(f);
      await execute(f, f.carol).catch(() => undefined);
      left = (await f.marginPool.marginAccount(f.carol)).size;
      await time.increase(30);
      if ((await f.marginPool.order(f.carol)).requestedAt === 0n && left !== 0n)
        await request(f, f.carol, -left);
    }
    expect(left, "I24: users can close under the pause").to.equal(0n);
    await f.marginPool.connect(f.carol).withdrawMargin(1n);
  });
});
