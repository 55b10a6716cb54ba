import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import {
  DEFAULT_SETTINGS,
  type DeploymentSettings,
  deployProtocol,
  type Protocol,
} from "../../deploy/deployProtocol.ts";

export const WAD = 10n ** 18n;
export const MAX_UINT256 = 2n ** 256n - 1n;
/** Later than any test block. */
export const FAR_DEADLINE = 10n ** 12n;
/** An un-round price, so that no two units coincide. */
export const INDEX_PRICE = 194_610_000000000000000n;

/** A deployed protocol, who takes part in it, and the chain it lives on. */
export interface ProtocolFixture extends Protocol {
  readonly connection: NetworkConnection;
  readonly settings: DeploymentSettings;
  /** Deployer; owns the first liquidity of both pools. */
  readonly owner: HardhatEthersSigner;
  readonly alice: HardhatEthersSigner;
  readonly bob: HardhatEthersSigner;
  readonly carol: HardhatEthersSigner;
  /** Executes orders, rebalances and arbitrages. */
  readonly keeper: HardhatEthersSigner;
}

/**
 * Deploys the protocol at an un-round price with un-round liquidity, and gives alice, bob, carol and the keeper
 * plenty of both tokens, approved for both pools. 6-decimal quote, 18-decimal base and 8-decimal feed unless told
 * otherwise.
 */
export async function deployFixture(
  connection: NetworkConnection,
  overrides: Partial<DeploymentSettings> = {},
): Promise<ProtocolFixture> {
  const chosen: Partial<DeploymentSettings> = {
    initialPrice: INDEX_PRICE,
    lpEquity: 10_037_411n * WAD,
    poolQuoteDepth: 20_411_873n * WAD,
    insurance: 101_303n * WAD,
    ...overrides,
  };
  const protocol = await deployProtocol(connection, chosen);
  const [owner, alice, bob, carol, keeper] = await connection.ethers.getSigners();
  const fixture: ProtocolFixture = {
    ...protocol,
    connection,
    settings: { ...DEFAULT_SETTINGS, ...chosen },
    owner: owner!,
    alice: alice!,
    bob: bob!,
    carol: carol!,
    keeper: keeper!,
  };
  for (const signer of [owner!, alice!, bob!, carol!, keeper!])
    await fundAndApprove(fixture, signer);
  return fixture;
}

/** Mints a billion of each token to an account and approves both pools for all of it. */
export async function fundAndApprove(
  { base, quote, pool, marginPool, settings }: ProtocolFixture,
  signer: HardhatEthersSigner,
): Promise<void> {
  for (const [token, decimals] of [
    [base, settings.baseDecimals],
    [quote, settings.quoteDecimals],
  ] as const) {
    await token.mint(signer, 10n ** BigInt(9 + decimals));
    for (const spender of [pool, marginPool]) {
      await token.connect(signer).approve(spender, MAX_UINT256);
    }
  }
}

/** Whole tokens x 1e18 in token units, rounded down. */
export function quoteUnits({ settings }: ProtocolFixture, amountWad: bigint): bigint {
  return amountWad / 10n ** BigInt(18 - settings.quoteDecimals);
}

/** Whole tokens x 1e18 in token units, rounded down. */
export function baseUnits({ settings }: ProtocolFixture, amountWad: bigint): bigint {
  return amountWad / 10n ** BigInt(18 - settings.baseDecimals);
}

/** Timestamp of the latest block. */
export async function now({ connection }: ProtocolFixture): Promise<bigint> {
  return BigInt(await connection.networkHelpers.time.latest());
}

/** Publishes a round now. */
export async function publishPrice(fixture: ProtocolFixture, priceWad: bigint): Promise<void> {
  await fixture.feed.setPrice(priceWad / 10n ** BigInt(18 - fixture.settings.feedDecimals));
}

/** Price of the feed's latest round, good or bad, 1e18. */
export async function currentPrice(fixture: ProtocolFixture): Promise<bigint> {
  const [, answer] = await fixture.feed.latestRoundData();
  return answer * 10n ** BigInt(18 - fixture.settings.feedDecimals);
}

/** Lets time pass at an unchanged price: a round at least every half hour, each folded as it comes. */
export async function passTime(fixture: ProtocolFixture, seconds: bigint): Promise<void> {
  const { connection, rebalancer, keeper } = fixture;
  const priceWad = await currentPrice(fixture);
  for (let left = seconds; left > 0n; left -= 1_800n) {
    await connection.networkHelpers.time.increase(left < 1_800n ? left : 1_800n);
    await publishPrice(fixture, priceWad);
    await rebalancer.connect(keeper).poke();
  }
}

/** Puts margin into an account. Amount in whole tokens x 1e18. */
export async function depositMargin(
  fixture: ProtocolFixture,
  trader: HardhatEthersSigner,
  amountWad: bigint,
): Promise<void> {
  await fixture.marginPool.connect(trader).depositMargin(quoteUnits(fixture, amountWad));
}

/** Queues an order that takes any price, for the longest time allowed. Size in whole tokens x 1e18, signed. */
export async function requestOrder(
  fixture: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
): Promise<void> {
  const expiresAt = (await now(fixture)) + 590n;
  await fixture.marginPool
    .connect(trader)
    .requestOrder(baseUnits(fixture, sizeWad), sizeWad > 0n ? MAX_UINT256 : 0n, expiresAt);
}

/**
 * Requests an order, publishes the next price and has the keeper execute it.
 *
 * @param sizeWad whole tokens x 1e18, signed: buys positive
 * @param priceWad the round it fills at; the latest price again unless given
 * @throws Error when the order is removed instead of filled, or fills only in part
 */
export async function trade(
  fixture: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  priceWad?: bigint,
): Promise<void> {
  const { connection, marginPool, keeper } = fixture;
  await requestOrder(fixture, trader, sizeWad);
  await connection.networkHelpers.time.increase(5);
  await publishPrice(fixture, priceWad ?? (await currentPrice(fixture)));
  const before = (await marginPool.marginAccount(trader)).size;
  await marginPool.connect(keeper).executeOrder(trader);
  const filled = (await marginPool.marginAccount(trader)).size - before;
  if (filled !== baseUnits(fixture, sizeWad)) {
    throw new Error(`the order of ${baseUnits(fixture, sizeWad)} filled ${filled}`);
  }
}

/** Builds a position in trades the skew's speed limit lets through, 11 minutes apart. */
export async function buildPosition(
  fixture: ProtocolFixture,
  trader: HardhatEthersSigner,
  sizeWad: bigint,
  parts: bigint,
): Promise<void> {
  for (let part = 1n; part <= parts; part += 1n) {
    await trade(fixture, trader, (sizeWad * part) / parts - (sizeWad * (part - 1n)) / parts);
    await passTime(fixture, 660n);
  }
}

/** Reserves of the constant-product pool, base first. */
export async function reserves({ pool, base }: ProtocolFixture): Promise<[bigint, bigint]> {
  const [reserve0, reserve1] = await pool.getReserves();
  const baseFirst = (await pool.token0()) === (await base.getAddress());
  return baseFirst ? [reserve0, reserve1] : [reserve1, reserve0];
}

/** Swaps in the constant-product pool. Amount in token units of what is sold. */
export async function swap(
  { pool, base, quote }: ProtocolFixture,
  trader: HardhatEthersSigner,
  sellBase: boolean,
  amountIn: bigint,
): Promise<bigint> {
  const args = [sellBase ? base : quote, amountIn, 0n, trader, FAR_DEADLINE] as const;
  const amountOut = await pool.connect(trader).swapExactInput.staticCall(...args);
  await pool.connect(trader).swapExactInput(...args);
  return amountOut;
}

/**
 * Trades the constant-product pool to the edge of its fee around a price, as the keenest arbitrageur would: with
 * g = 1 - f, buying base pays until y + g a = sqrt(k P g), selling until x + g a = sqrt(k g / P).
 */
export async function arbitrage(fixture: ProtocolFixture, priceWad?: bigint): Promise<void> {
  const { settings, keeper, pool } = fixture;
  const [reserveBase, reserveQuote] = await reserves(fixture);
  // P in quote units per base unit, as a fraction
  const price = priceWad ?? (await currentPrice(fixture));
  const [up, down] = [
    price * 10n ** BigInt(settings.quoteDecimals),
    WAD * 10n ** BigInt(settings.baseDecimals),
  ];
  const keep = 1_000_000n - (await pool.swapFee());
  const k = reserveBase * reserveQuote;
  const quoteIn =
    ((sqrtDown((k * up * keep) / (down * 1_000_000n)) - reserveQuote) * 1_000_000n) / keep;
  const baseIn =
    ((sqrtDown((k * down * keep) / (up * 1_000_000n)) - reserveBase) * 1_000_000n) / keep;
  if (quoteIn > 0n) await swap(fixture, keeper, false, quoteIn);
  else if (baseIn > 0n) await swap(fixture, keeper, true, baseIn);
}

/** Integer square root, rounded down. */
export function sqrtDown(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
