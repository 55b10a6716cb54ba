import { WAD } from "../units.ts";
import type { Figures, Row } from "./figures.ts";
import { MARGIN_SETTINGS, MarginChain, PRICE } from "./marginChain.ts";

/** LPs who want 90 % base: the pool that a fall hurts most. */
const SETTINGS = { ...MARGIN_SETTINGS, targetBaseWeight: (9n * WAD) / 10n };
/** 8 % of equity, 18 decimals of base: the skew may grow by 10 % in ten minutes. */
const PART = 4_126n * WAD;
const MARGIN = 4_000_003_000_000n;
const DEPOSIT = 103_411_234_567n;
/** Answers of the feed, 8 decimals: one that raises volatility to its ceiling, and one that takes the capital. */
const SHAKEN_PRICE = 15_201_000_000n;
const FALLEN_PRICE = 12_101_000_000n;
const SPEED_SECONDS = 600;
const DAY_SECONDS = 86_400;

/** Deleveraging, and the end of a pool whose feed has died. */
export function measureMarginEnd(): Promise<Figures> {
  return MarginChain.figures(SETTINGS, async (margin) => {
    await fall(margin);
    const rows: Row[] = [["autoDeleverage", await margin.byKeeper("autoDeleverage")]];
    const { chain, user } = margin;
    chain.wait(DAY_SECONDS);
    rows.push(["settle, reports a dead feed", await margin.byKeeper("settle")]);
    chain.wait(DAY_SECONDS);
    const [supply] = await chain.read(margin.pool, "balanceOf", [user]);
    rows.push(
      ["settle", await margin.byKeeper("settle")],
      ["settleAccount", await margin.byKeeper("settleAccount", user)],
      ["finalizeSettlement", await margin.byKeeper("finalizeSettlement")],
      ["claim, in kind", await margin.byUser("claim")],
      ["redeemInKind", await margin.byUser("redeemInKind", supply / 2n, user)],
    );
    return rows;
  });
}

/** Shorts of 58 % of equity, then a fall by a third: the pool is short of capital on two rounds. */
async function fall(margin: MarginChain): Promise<void> {
  const { chain, user } = margin;
  await margin.publish(PRICE);
  await margin.byUser("deposit", DEPOSIT, user);
  await margin.byUser("depositMargin", MARGIN);
  for (let part = 0; part < 7; part += 1) {
    if (part === 3) for (const price of [SHAKEN_PRICE, PRICE]) await margin.poke(price);
    await margin.fill(-PART, PRICE);
    chain.wait(SPEED_SECONDS);
    await margin.poke(PRICE);
  }
  await margin.poke(FALLEN_PRICE);
  chain.wait(SPEED_SECONDS);
  await margin.poke(FALLEN_PRICE);
  await margin.publish(FALLEN_PRICE);
}
