import { expect } from "chai";
import { network } from "hardhat";
import {
  currentPrice,
  deployFixture,
  depositMargin,
  type ProtocolFixture,
  publishPrice,
  WAD,
} from "../support/protocolFixture.ts";
import { order } from "../support/traderFixture.ts";
import { look, stateOf, withLens } from "./picture.ts";

const connection = await network.create();
const { loadFixture, time } = connection.networkHelpers;

/** Unhedged longs of alice and bob against quote alone, after gaps that made the pool deleverage. */
async function deleveraged(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, {
    targetBaseWeight: 0n,
    lpEquity: 1_003_741n * WAD,
    poolQuoteDepth: 0n,
  });
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 400_007n * WAD);
  const move = async (permille: bigint) => {
    await time.increase(611);
    await publishPrice(f, ((await currentPrice(f)) * permille) / 1_000n);
    await f.volatilityOracle.poke();
    await f.marginPool.sync();
  };
  for (let turn = 0; turn < 4; turn += 1) {
    await order(f, turn % 2 === 0 ? f.alice : f.bob, 450_000_000_000_000_007n * 1_000n);
    // Guarded by its exposure the pool lets openings go on
    await move(turn === 1 ? 1_120n : 1_000n);
  }
  const crowd = await withLens(f, [f.alice, f.bob]);
  for (let turn = 0; turn < 40; turn += 1) {
    if (stateOf(await look(crowd)) === "Deleveraging") break;
    await move(1_060n);
  }
  await f.marginPool.autoDeleverage();
  return f;
}

/** What the campaigns found, each under its symptom. */
describe("Replays of the campaigns", () => {
  // Expected: views of a pool in which nobody has margin any more answer. Deleveraging rounds C_L up, and that dust stays
  // when the last position is gone, so the residual `custodyQuote` underflows.
  it("the ledgers can be read after a deleveraged pool was settled and everybody paid", async () => {
    const f = await loadFixture(deleveraged);
    const { marginPool, alice, bob, keeper, owner } = f;
    await time.increase(4_000);
    for (let call = 0; call < 2; call += 1) {
      await marginPool.settle();
      await time.increase(86_401);
    }
    for (const trader of [alice, bob]) await marginPool.settleAccount(trader);
    await time.increase(7 * 86_400);
    await marginPool.finalizeSettlement();
    for (const trader of [alice, bob]) {
      const { collateral, unpaidClaim } = await marginPool.marginAccount(trader);
      if (collateral > 0n) await marginPool.connect(trader).withdrawMargin(collateral);
      if (unpaidClaim > 0n) await marginPool.connect(trader).claim();
    }
    await marginPool.connect(keeper).claim();
    await marginPool.connect(owner).redeemInKind(await marginPool.balanceOf(owner), owner);
    // said in words, since a worker cannot hand on a panic's number
    const problem = await marginPool.ledgers().then(
      ({ custodyQuote }) => (custodyQuote === 0n ? "" : `custody ${custodyQuote}`),
      (error: unknown) => String(error),
    );
    expect(problem).to.equal("");
  });
});
