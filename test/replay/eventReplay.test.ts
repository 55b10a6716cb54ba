import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  crowdedShorts,
  DAY,
  DECIMALS,
  enter,
  priceAtRatio,
  round,
  type Scene,
  toDeleveraging,
} from "../support/lastStand.ts";
import { real } from "../support/marginReference.ts";
import {
  currentPrice,
  deployFixture,
  depositMargin,
  fundAndApprove,
  type ProtocolFixture,
  passTime,
  publishPrice,
  quoteUnits,
  WAD,
} from "../support/protocolFixture.ts";
import { execute, hedge, nextRound, order, request } from "../support/traderFixture.ts";
import { Watcher } from "./watcher.ts";

const connection = await network.create();
const { time } = connection.networkHelpers;

type Step = readonly [what: string, act: () => Promise<unknown>];

/** Runs the steps; after each of them the replay must agree with every view. */
async function follow(watcher: Watcher, steps: readonly Step[]): Promise<void> {
  await watcher.check("after the deployment");
  for (const [what, act] of steps) {
    await act();
    await watcher.check(`after ${what}`);
  }
}

/** A price in per mille of the present one. */
const moved = async (f: ProtocolFixture, perMille: bigint): Promise<bigint> =>
  ((await currentPrice(f)) * perMille) / 1_000n;

/** Time without rounds, then one. */
async function sleep(f: ProtocolFixture, seconds: bigint): Promise<void> {
  await time.increase(seconds);
  await publishPrice(f, await currentPrice(f));
  await f.rebalancer.connect(f.keeper).poke();
}

/** Everything LPs, traders, keepers and roles do while a pool lives. */
function livingSteps(
  f: ProtocolFixture,
  dave: HardhatEthersSigner,
  erin: HardhatEthersSigner,
): readonly Step[] {
  const { marginPool: pool, alice, bob, carol, owner, keeper } = f;
  const quote = (whole: bigint) => quoteUnits(f, whole * WAD);
  const queue = (trader: HardhatEthersSigner, size: bigint) => request(f, trader, size);
  return [
    ["a deposit", () => pool.connect(carol).deposit(quote(303_017n) + 1n, carol)],
    ["a mint to somebody else", () => pool.connect(carol).mint(77_777_777_777_777n, erin)],
    [
      "a second deposit on locked shares",
      async () => {
        await time.increase(311);
        await pool.connect(carol).deposit(quote(1_003n), carol);
      },
    ],
    [
      "a transfer of shares",
      async () => {
        await passTime(f, 700n);
        await pool.connect(carol).transfer(dave, (await pool.balanceOf(carol)) / 3n);
      },
    ],
    [
      "margin",
      async () => {
        await depositMargin(f, alice, 300_003n * WAD);
        await depositMargin(f, bob, 700_007n * WAD);
        await depositMargin(f, dave, 60_011n * WAD);
        await depositMargin(f, erin, 20_017n * WAD);
      },
    ],
    ["a withdrawal of free margin", () => pool.connect(erin).withdrawMargin(quote(1_013n) + 7n)],
    ["a request", () => queue(alice, 2_003n * WAD)],
    ["a cancellation", () => pool.connect(alice).cancelOrder()],
    ["a long", () => order(f, alice, 2_003n * WAD)],
    ["time and income", () => passTime(f, 3_700n)],
    ["a chunk or more of hedging", () => hedge(f)],
    [
      "a short across zero",
      async () => order(f, bob, -3_107n * WAD, { price: await moved(f, 1_013n) }),
    ],
    ["an order that is filled in part", () => order(f, bob, -8_011n * WAD)],
    [
      "the rest of it, later",
      async () => {
        await time.increase(240);
        await nextRound(f);
        await execute(f, bob);
      },
    ],
    [
      "an order that expired",
      async () => {
        await queue(erin, 11n * WAD);
        await time.increase(601);
        await nextRound(f);
        await pool.connect(keeper).executeOrder(erin);
      },
    ],
    ["an order whose price was not met", () => order(f, erin, 13n * WAD, { limit: WAD })],
    [
      "two fills in one block",
      async () => {
        await queue(erin, 501n * WAD);
        await queue(dave, -1_003n * WAD);
        await nextRound(f, await moved(f, 997n));
        await connection.provider.request({ method: "evm_setAutomine", params: [false] });
        const sent = [
          await pool.connect(keeper).executeOrder(erin, { gasLimit: 2_000_000n }),
          await pool.connect(keeper).executeOrder(dave, { gasLimit: 2_000_000n }),
          await f.rebalancer.connect(keeper).poke({ gasLimit: 2_000_000n }),
        ];
        await connection.provider.request({ method: "evm_setAutomine", params: [true] });
        await connection.networkHelpers.mine();
        for (const { hash } of sent) {
          const receipt = await connection.ethers.provider.getTransactionReceipt(hash);
          expect(receipt?.status).to.equal(1);
        }
      },
    ],
    [
      "hedging the other way",
      async () => {
        await passTime(f, 700n);
        await hedge(f);
      },
    ],
    ["a withdrawal beside a position", () => pool.connect(alice).withdrawMargin(quote(50_021n))],
    [
      "a margin call met",
      async () => {
        await publishPrice(f, await moved(f, 1_021n));
        await depositMargin(f, dave, 5_003n * WAD);
        await pool.sync();
      },
    ],
    ["a close in part", async () => order(f, alice, -1_001n * WAD)],
    [
      "new parameters",
      async () => {
        const [current] = await pool.parameters();
        const next = {
          takerFeePpm: 549n,
          openInterestLimitBps: current.openInterestLimitBps,
          initialMarginFloorBps: 439n,
          insuranceShareBps: 1_099n,
        };
        const call = pool.interface.encodeFunctionData("setParameters", [next]);
        const id = `0x${"00".repeat(32)}`;
        await f.timelock.connect(owner).schedule(pool, 0n, call, id, id, 172_800n);
        await sleep(f, 172_801n);
        await f.timelock.connect(owner).execute(pool, 0n, call, id, id);
      },
    ],
    [
      "a fill on the way to them",
      async () => {
        await passTime(f, 7_201n);
        await order(f, alice, -307n * WAD);
      },
    ],
    [
      "a pause and its end",
      async () => {
        await pool.connect(owner).pauseNewRisk();
        await time.increase(77);
        await pool.connect(owner).unpauseNewRisk();
      },
    ],
    [
      "a donation",
      async () => {
        await f.quote.connect(erin).transfer(pool, quote(907n) + 3n);
        await pool.connect(dave).skim();
      },
    ],
    [
      "liquidations in part",
      async () => {
        // a third more in small steps, so that maintenance margins are met in between
        for (let step = 0; step < 40; step += 1) {
          await round(f, 61n, await moved(f, 1_007n));
          for (const trader of [alice, bob, dave, erin]) {
            if ((await pool.position(trader)).liquidatable) {
              await pool.connect(keeper).liquidate(trader);
            }
          }
        }
      },
    ],
    [
      "a gap, bad debt and whatever insurance pays of it",
      async () => {
        await round(f, 61n, await moved(f, 1_410n));
        for (const trader of [alice, bob, dave, erin]) {
          if ((await pool.position(trader)).liquidatable)
            await pool.connect(keeper).liquidate(trader);
        }
      },
    ],
    ["the keeper's fees", () => pool.connect(keeper).claim()],
    [
      "hedging what is left",
      async () => {
        await passTime(f, 1_300n);
        await hedge(f);
      },
    ],
    ["recovery", () => passTime(f, 3n * 3_600n)],
    ["a redemption", () => pool.connect(dave).redeem(55_555_555_555_555n, erin, dave)],
    [
      "a withdrawal of assets",
      () => pool.connect(carol).withdraw(quote(12_345n) + 1n, carol, carol),
    ],
    [
      "a redemption by somebody allowed to",
      async () => {
        await pool.connect(carol).approve(erin, 10n ** 30n);
        await pool.connect(erin).redeem((await pool.balanceOf(carol)) / 7n, erin, carol);
      },
    ],
    [
      "a quiet day between two rounds",
      async () => {
        await passTime(f, DAY);
        await time.increase(1_234);
        await connection.networkHelpers.mine();
      },
    ],
  ];
}

/** Everybody whose position could be, is liquidated. */
async function liquidateAll(
  f: ProtocolFixture,
  traders: readonly HardhatEthersSigner[],
): Promise<void> {
  for (const trader of traders) {
    if ((await f.marginPool.position(trader)).liquidatable)
      await f.marginPool.connect(f.keeper).liquidate(trader);
  }
}

/** Longs nobody hedged: deleveraged twice, with every kind of touch in between, then bankrupt and settled. */
function lastSteps(
  s: Scene,
  [erin, frank, heidi]: readonly HardhatEthersSigner[],
): readonly Step[] {
  const { marginPool: pool, alice, bob, carol, dave, owner, keeper } = s;
  const quote = (whole: bigint) => quoteUnits(s, whole * WAD);
  const priceFor = (ratio: string) => priceAtRatio(s, real(ratio), 150n * WAD, 700n * WAD);
  const everybody = [alice, bob, carol, dave, erin!];
  return [
    [
      "a small short, free margin and a second LP",
      async () => {
        await round(s, 660n);
        await enter(s, erin!, 16_003n * WAD, -50_021n * WAD);
        await depositMargin(s, frank!, 20_011n * WAD);
        await pool.connect(heidi!).deposit(quote(303_017n), heidi!);
      },
    ],
    ["a fall of the solvency ratio", async () => round(s, 601n, await priceFor("1.4"))],
    [
      "a short-lived recovery",
      async () => {
        await round(s, 61n, await priceFor("1.75"));
        await round(s, 907n);
        await round(s, 61n, await priceFor("1.55"));
      },
    ],
    [
      "a recovery",
      async () => {
        await round(s, 61n, await priceFor("1.75"));
        for (let minute = 0n; minute < 33n; minute += 11n) await round(s, 661n);
      },
    ],
    ["ReduceOnly", async () => round(s, 61n, await priceFor("1.2"))],
    ["a liquidation with bad debt", () => liquidateAll(s, everybody)],
    ["Deleveraging", async () => toDeleveraging(s, await priceFor("0.9"))],
    ["a deleveraging", () => pool.connect(keeper).autoDeleverage()],
    ["margin for a deleveraged account", () => depositMargin(s, alice, 10_007n * WAD)],
    ["an order of a deleveraged account", () => request(s, bob, -101n * WAD)],
    ["its cancellation", () => pool.connect(bob).cancelOrder()],
    ["funding on what is left", () => round(s, 3_607n)],
    ["a close of a deleveraged account", () => order(s, dave, -307n * WAD)],
    ["Deleveraging again", async () => toDeleveraging(s, await priceFor("0.8"))],
    ["a second deleveraging", () => pool.connect(keeper).autoDeleverage()],
    ["a fill after two", () => order(s, bob, -211n * WAD)],
    [
      "orders that will not fill",
      async () => {
        await round(s, 61n);
        await request(s, bob, -31n * WAD);
        await request(s, alice, -37n * WAD);
      },
    ],
    [
      "two rounds without equity",
      async () => {
        await round(s, 61n, 911_170_000_000_000_000_000n);
        await round(s, 601n);
      },
    ],
    ["the third", () => round(s, 601n)],
    ["an account with an order", () => pool.connect(keeper).settleAccount(alice)],
    ["an order canceled", () => pool.connect(bob).cancelOrder()],
    ["a loser", () => pool.connect(keeper).settleAccount(carol)],
    ["free margin", () => pool.connect(frank!).withdrawMargin(quote(20_010n))],
    ["the keeper", () => pool.connect(keeper).claim()],
    [
      "the end of the settlement",
      async () => {
        await time.increase(7n * DAY);
        await pool.connect(keeper).finalizeSettlement();
      },
    ],
    ["a late winner", () => pool.connect(bob).settleAccount(bob)],
    [
      "the others",
      async () => {
        for (const trader of [dave, erin!]) {
          if ((await pool.marginAccount(trader)).size !== 0n) {
            await pool.connect(trader).settleAccount(trader);
          }
        }
      },
    ],
    [
      "all payouts",
      async () => {
        for (const trader of everybody) {
          const { collateral, unpaidClaim } = await pool.marginAccount(trader);
          if (collateral > 0n) await pool.connect(trader).withdrawMargin(collateral);
          if (unpaidClaim > 0n) await pool.connect(trader).claim();
        }
        for (const lp of [owner, heidi!]) {
          await pool.connect(lp).redeemInKind(await pool.balanceOf(lp), lp);
        }
      },
    ],
  ];
}

/** Shorts whose profit the pool cannot pay in quote, then a feed that dies. */
function unpaidSteps(s: Scene, [, frank]: readonly HardhatEthersSigner[]): readonly Step[] {
  const { marginPool: pool, alice, bob, carol, dave, owner, keeper } = s;
  const everybody = [alice, bob, carol, dave, frank!];
  return [
    ["a fall", async () => round(s, 61n, await moved(s, 811n))],
    ["a profit that q cannot pay", () => order(s, alice, 9_001n * WAD)],
    ["a second one", () => order(s, bob, 5_003n * WAD)],
    [
      "losses of a long",
      async () => {
        await round(s, 61n, await moved(s, 905n));
        await liquidateAll(s, everybody);
      },
    ],
    ["what can be paid", () => pool.connect(alice).claim()],
    [
      "a feed that dies",
      async () => {
        await depositMargin(s, frank!, 9_011n * WAD);
        await request(s, bob, 17n * WAD);
        await time.increase(3_901n);
        await pool.connect(keeper).settle();
      },
    ],
    [
      "a day without it",
      async () => {
        await time.increase(DAY);
        await pool.connect(keeper).settle();
      },
    ],
    [
      "everybody's settlement",
      async () => {
        for (const trader of [alice, bob, carol, dave]) {
          if ((await pool.marginAccount(trader)).size !== 0n)
            await pool.connect(keeper).settleAccount(trader);
        }
        await pool.connect(keeper).finalizeSettlement();
      },
    ],
    [
      "all payouts",
      async () => {
        for (const trader of everybody) {
          const { collateral, unpaidClaim } = await pool.marginAccount(trader);
          if (collateral > 0n) await pool.connect(trader).withdrawMargin(collateral);
          if (unpaidClaim > 0n) await pool.connect(trader).claim();
        }
        await pool.connect(owner).redeemInKind(await pool.balanceOf(owner), owner);
      },
    ],
  ];
}

/** Events of the margin pool that a living pool's scenario must have shown. */
const LIVING = [
  "Synced",
  "BandCached",
  "PoolTraded",
  "Bootstrapped",
  "Deposit",
  "Withdraw",
  "MarginDeposited",
  "MarginWithdrawn",
  "OrderRequested",
  "OrderExecuted",
  "OrderCanceled",
  "OrderExpired",
  "OrderFailed",
  "Liquidated",
  "CreditPaid",
  "InsuranceSkimmed",
  "ParametersChanged",
  "NewRiskPaused",
  "NewRiskUnpaused",
];

/** Events of the end. */
const LAST = [
  "RiskStateChanged",
  "Deleveraged",
  "Liquidated",
  "SettlementStarted",
  "AccountSettled",
  "SettlementFinalized",
  "ClaimRecorded",
  "ClaimPaidInKind",
  "RedeemedInKind",
];

async function newcomers(f: ProtocolFixture): Promise<HardhatEthersSigner[]> {
  const signers = (await connection.ethers.getSigners()).slice(8, 11);
  for (const signer of signers) await fundAndApprove(f, signer);
  return signers;
}

function expectSeen(watcher: Watcher, events: readonly string[]): void {
  const missing = events.filter((event) => !watcher.replay.actions.has(event));
  expect(missing, "events that the scenario never showed").to.deep.equal([]);
}

for (const decimals of DECIMALS) {
  const name = `${decimals.baseDecimals}/${decimals.quoteDecimals}`;
  describe(`The event log alone, decimals ${name}`, () => {
    it("gives every ledger, account and state after every action of a living pool", async () => {
      const f = await deployFixture(connection, decimals);
      const [dave, erin] = await newcomers(f);
      const watcher = await Watcher.start(f, connection, f.settings);
      await follow(watcher, livingSteps(f, dave!, erin!));
      expectSeen(watcher, LIVING);
    });

    it("gives them after every action of a pool that is deleveraged, bankrupt and settled", async () => {
      const s = await crowdedLongs(connection, decimals)();
      const others = await newcomers(s);
      const watcher = await Watcher.start(s, connection, s.settings);
      await follow(watcher, lastSteps(s, others));
      expectSeen(watcher, LAST);
    });

    it("gives them after every action of a pool that cannot pay in quote and whose feed dies", async () => {
      const s = await crowdedShorts(connection, decimals)();
      const others = await newcomers(s);
      const watcher = await Watcher.start(s, connection, s.settings);
      await follow(watcher, unpaidSteps(s, others));
      expectSeen(watcher, ["ClaimRecorded", "ClaimPaid", "SettlementStarted", "ClaimPaidInKind"]);
    });
  });
}
