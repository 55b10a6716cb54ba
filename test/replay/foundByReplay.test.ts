import { expect } from "chai";
import { network } from "hardhat";
import {
  crowdedLongs,
  DAY,
  DECIMALS,
  priceAtRatio,
  round,
  toDeleveraging,
} from "../support/lastStand.ts";
import { real } from "../support/marginReference.ts";
import { WAD } from "../support/protocolFixture.ts";

const connection = await network.create();
const { time } = connection.networkHelpers;
const RANGE = [150n * WAD, 700n * WAD] as const;

describe("What the replay of the event log found", () => {
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
