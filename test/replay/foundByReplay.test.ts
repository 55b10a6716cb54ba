import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  DAY,
  DECIMALS,
  enter,
  priceAtRatio,
  round,
  toDeleveraging,
} from "../support/lastStand.ts";
import { real } from "../support/marginReference.ts";
import { currentPrice, fundAndApprove, quoteUnits, WAD } from "../support/protocolFixture.ts";
import { order } from "../support/traderFixture.ts";
import { Watcher } from "./watcher.ts";

const connection = await network.create();
const { time, mine } = connection.networkHelpers;
const RANGE = [150n * WAD, 700n * WAD] as const;

describe("What the replay of the event log found", () => {
  it("a sync that starts the clock of a recovery in a block already synced says so", async () => {
    const s = await crowdedLongs(connection, DECIMALS[0])();
    const { marginPool: pool, keeper } = s;
    const erin = (await connection.ethers.getSigners())[8]!;
    await fundAndApprove(s, erin);
    // erin is all of the shorts: what she adds to her margin counts at once
    await round(s, 660n);
    await order(s, s.carol, (400_013n * WAD * WAD) / (await currentPrice(s)));
    await round(s, 660n);
    await enter(s, erin, 100_003n * WAD, -300_021n * WAD);
    const watcher = await Watcher.start(s, connection, s.settings);
    await round(s, 61n, await priceAtRatio(s, real("1.4"), ...RANGE));
    await round(s, 61n, await priceAtRatio(s, real("1.5995"), ...RANGE));
    await watcher.check("below the recovery's threshold");
    expect((await pool.riskClock()).recoverySince).to.equal(0n);

    await connection.provider.request({ method: "evm_setAutomine", params: [false] });
    const options = { gasLimit: 2_000_000n };
    await pool.connect(keeper).sync(options);
    await pool.connect(erin).depositMargin(quoteUnits(s, 150_000n * WAD), options);
    await pool.connect(keeper).sync(options);
    await connection.provider.request({ method: "evm_setAutomine", params: [true] });
    await mine();
    const { recoverySince } = await pool.riskClock();
    expect(String(recoverySince), "the deposit lifted the ratio").not.to.equal("0");
    await watcher.check("after a second sync in one block");
  });

  for (const decimals of DECIMALS) {
    const name = `${decimals.baseDecimals}/${decimals.quoteDecimals}`;
    it(`ledgers can be read once everybody left a pool that was deleveraged, decimals ${name}`, async () => {
      const s = await crowdedLongs(connection, decimals)();
      const { marginPool: pool, alice, bob, carol, dave, keeper } = s;
      await toDeleveraging(s, await priceAtRatio(s, real("0.9"), ...RANGE));
      await pool.connect(keeper).autoDeleverage();
      for (const seconds of [61n, 601n, 601n]) await round(s, seconds, 911_170n * 10n ** 15n);
      for (const trader of [alice, bob, carol, dave]) {
        await pool.connect(keeper).settleAccount(trader);
        const { collateral } = await pool.marginAccount(trader);
        if (collateral > 0n) await pool.connect(trader).withdrawMargin(collateral);
      }
      await time.increase(7n * DAY);
      await pool.connect(keeper).finalizeSettlement();
      if ((await pool.creditedOf(keeper)) > 0n) await pool.connect(keeper).claim();
      const { custodyQuote } = await pool.ledgers();
      expect(custodyQuote < 10n, "nobody's quote").to.equal(true);
    });
  }
});
