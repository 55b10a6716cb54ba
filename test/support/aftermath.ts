import { expect } from "chai";
import { DEFAULT_SETTINGS } from "../../deploy/deployProtocol.ts";
import type { ActorRole, BackendFactory } from "../../src/simulation/backend.ts";
import { createEvmBackend, type EvmBackend } from "../../src/simulation/evmBackend.ts";
import type { ReplayedLiquidation } from "../replay/poolEvents.ts";
import { Watcher } from "../replay/watcher.ts";

/** What a simulated run left behind. */
export interface Aftermath {
  /** Logs replayed, and of them those of actions of the margin pool. */
  logs: number;
  actions: ReadonlyMap<string, number>;
  /** Losses of traders beyond their margin, by the contract's own count. */
  badDebt: bigint;
  liquidations: readonly ReplayedLiquidation[];
  /** Accounts with a position when the path ended, and in the end. */
  openAtEnd: number;
  openAfter: number;
  /** Quote token units that traders and keepers took out, and what the pool still holds for them. */
  paidOut: bigint;
  custodyAfter: bigint;
  claimsAfter: bigint;
  /** Redemptions by the LP, each of nearly all that `maxRedeem` allowed. */
  redeemed: readonly bigint[];
}

/**
 * A backend that, before it closes, lets the event log be replayed and compared with every view, then everybody leave,
 * and compares again.
 *
 * @param found called with what was found
 */
export const withAftermath =
  (found: (aftermath: Aftermath) => void): BackendFactory =>
  async (setup) => {
    const backend = await createEvmBackend(setup);
    const { protocol, connection } = backend;
    return {
      ...backend,
      close: async () => {
        try {
          const settings = { ...DEFAULT_SETTINGS, initialPrice: setup.initialPrice };
          const watcher = await Watcher.start(protocol, connection, settings);
          await watcher.check("at the end of the path");
          const left = await everybodyLeaves(backend);
          await watcher.check("after everybody left");
          const badDebt = await protocol.marginPool.badDebt();
          const { actions, liquidations } = watcher.replay;
          found({ logs: watcher.seen, actions, badDebt, liquidations, ...left });
        } finally {
          await backend.close();
        }
      },
    };
  };

const MINUTE = 60n;
const MAX_UINT256 = 2n ** 256n - 1n;
/** Rounds of closing after which somebody is said to be locked in. */
const PATIENCE = 60;
const REDEMPTIONS = 3;

type Left = Pick<
  Aftermath,
  "openAtEnd" | "openAfter" | "paidOut" | "custodyAfter" | "claimsAfter" | "redeemed"
>;

/** At the last price: positions are closed, margin and claims are paid, the LP redeems what may leave. */
async function everybodyLeaves(backend: EvmBackend): Promise<Left> {
  const { connection, protocol } = backend;
  const { ethers, networkHelpers } = connection;
  const { marginPool: pool, quote } = protocol;
  await connection.provider.request({ method: "evm_setAutomine", params: [true] });
  const signersOf = (role: ActorRole) =>
    Promise.all(backend.addresses(role).map((who) => ethers.getImpersonatedSigner(who)));
  const [keeper] = await signersOf("keeper");
  const bots = [...(await signersOf("keeper")), ...(await signersOf("liquidator"))];
  const signers = await signersOf("trader");
  const open = async () => {
    const sizes = await Promise.all(
      signers.map(async (who) => (await pool.marginAccount(who)).size),
    );
    return signers.filter((_, i) => sizes[i] !== 0n);
  };
  const round = async (seconds: bigint) => {
    await networkHelpers.time.increase(seconds);
    const [, answer] = await protocol.feed.latestRoundData();
    await protocol.feed.setPrice(answer);
    await protocol.rebalancer.connect(keeper).poke();
  };

  // orders that wait from the path have expired by now
  await round(11n * MINUTE);
  for (const who of signers) {
    if ((await pool.order(who)).requestedAt !== 0n) await pool.connect(who).cancelOrder();
  }
  const openAtEnd = (await open()).length;
  for (let tries = 0; tries < PATIENCE; tries += 1) {
    const closing = await open();
    if (closing.length === 0) break;
    for (const who of closing) {
      if ((await pool.position(who)).liquidatable) {
        await pool.connect(keeper).liquidate(who);
        continue;
      }
      if ((await pool.order(who)).requestedAt !== 0n) continue;
      const { size } = await pool.marginAccount(who);
      const expiresAt = BigInt(await networkHelpers.time.latest()) + 10n * MINUTE - 1n;
      await pool.connect(who).requestOrder(-size, size > 0n ? 0n : MAX_UINT256, expiresAt);
    }
    await round(5n);
    for (const who of closing) {
      if ((await pool.order(who)).requestedAt === 0n) continue;
      try {
        await pool.connect(keeper).executeOrder(who);
      } catch (error) {
        expect(String(error), "a close may only wait for the speed limit").to.match(
          /SkewSpeedLimit/,
        );
      }
    }
    await round(10n * MINUTE + 1n);
    for (const who of closing) {
      if ((await pool.order(who)).requestedAt !== 0n) await pool.connect(keeper).executeOrder(who);
    }
  }
  const openAfter = (await open()).length;

  const before = await quote.balanceOf(pool);
  for (const who of signers) {
    const { collateral, unpaidClaim } = await pool.marginAccount(who);
    if (collateral > 0n) await pool.connect(who).withdrawMargin(collateral);
    if (unpaidClaim > 0n || (await pool.creditedOf(who)) > 0n) await pool.connect(who).claim();
  }
  for (const who of bots) {
    if ((await pool.creditedOf(who)) > 0n) await pool.connect(who).claim();
  }
  const paidOut = before - (await quote.balanceOf(pool));
  const { custodyQuote, unpaidClaims } = await pool.ledgers();

  const [lp] = await ethers.getSigners();
  const redeemed: bigint[] = [];
  for (let turn = 0; turn < REDEMPTIONS; turn += 1) {
    await round(31n * MINUTE);
    // a block later income has made the shares worth a little more
    const shares = ((await pool.maxRedeem(lp!)) * 999n) / 1_000n;
    const wallet = await quote.balanceOf(lp!);
    await pool.connect(lp).redeem(shares, lp!, lp!);
    redeemed.push((await quote.balanceOf(lp!)) - wallet);
  }
  return {
    openAtEnd,
    openAfter,
    paidOut,
    custodyAfter: custodyQuote,
    claimsAfter: unpaidClaims,
    redeemed,
  };
}

/** Nobody was locked in, and losses went in the order that was promised. */
export function expectOrderlyEnd(aftermath: Aftermath): void {
  const { liquidations, badDebt, openAtEnd, openAfter, paidOut, redeemed } = aftermath;
  expect(aftermath.actions.get("OrderExecuted") ?? 0, "fills replayed").to.be.greaterThan(20);
  expect(openAtEnd, "positions at the end of the path").to.be.greaterThan(0);
  expect(openAfter, "positions that could not be closed").to.equal(0);
  expect(paidOut > 0n, "somebody was paid").to.equal(true);
  expect(String(aftermath.custodyAfter), "held for nobody").to.equal("0");
  expect(String(aftermath.claimsAfter), "I20: profit that was not paid").to.equal("0");
  expect(
    redeemed.every((amount) => amount > 0n),
    `the LP took ${redeemed.join(", ")}`,
  ).to.equal(true);

  let recorded = 0n;
  for (const {
    size,
    collateral,
    equity,
    badDebt: debt,
    paidByInsurance,
    fundBefore,
  } of liquidations) {
    recorded += debt;
    if (debt === 0n) continue;
    expect([size, collateral].join(), "the trader's margin goes first").to.equal("0,0");
    expect(String(debt), "bad debt is what equity lacked").to.equal(String(-equity));
    expect(paidByInsurance <= debt && 2n * paidByInsurance <= fundBefore, "half at most").to.equal(
      true,
    );
  }
  expect(String(badDebt), "I17: bad debt is recorded").to.equal(String(recorded));
}
