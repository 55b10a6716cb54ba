import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { BaseContract, LogDescription } from "ethers";
import {
  arbitrage,
  MAX_UINT256,
  now,
  passTime,
  publishPrice,
  quoteUnits,
  swap,
  WAD,
} from "../support/protocolFixture.ts";
import type { Crowd, Person, Picture } from "./picture.ts";

/** Below `n`, from 0. */
export type Random = (n: number) => number;

/** An action that reverted. What else goes wrong is the test's fault and not caught. */
export class Refused extends Error {}

/** Sends without waiting for the receipt and gives the transaction's hash. */
export async function act(
  f: Crowd,
  from: HardhatEthersSigner,
  contract: BaseContract,
  method: string,
  args: readonly unknown[] = [],
): Promise<string> {
  const data = contract.interface.encodeFunctionData(method, args);
  const call = { from: from.address, to: await contract.getAddress(), data, gas: "0x4c4b40" };
  try {
    return (await f.connection.ethers.provider.send("eth_sendTransaction", [call])) as string;
  } catch (error) {
    if (/revert|panic/i.test(String(error))) throw new Refused(`${method}: ${String(error)}`);
    throw error;
  }
}

/** The margin pool's events of one transaction. */
export async function eventsOf(f: Crowd, hash: string): Promise<LogDescription[]> {
  const receipt = await f.connection.ethers.provider.getTransactionReceipt(hash);
  return (receipt?.logs ?? []).flatMap((log) => {
    const parsed = f.marginPool.interface.parseLog(log);
    return parsed === null ? [] : [parsed];
  });
}

/** A handler gets the latest picture and answers with the hash of what matters, if anything does. */
export type Handler = (p: Picture) => Promise<unknown>;

/** Who does what. Traders come first in `people`, then LPs, then the keeper. */
export interface Cast {
  readonly traders: readonly HardhatEthersSigner[];
  readonly lps: readonly HardhatEthersSigner[];
  readonly keeper: HardhatEthersSigner;
  readonly guardian: HardhatEthersSigner;
}

/** Every actor's actions, each independent of the others. They refuse what makes no sense and try everything else. */
export function handlersOf(f: Crowd, cast: Cast, random: Random): Record<string, Handler> {
  const { marginPool, rebalancer, volatilityOracle, feed, quote, base, connection } = f;
  const { time } = connection.networkHelpers;
  const { traders, lps, keeper, guardian } = cast;
  const some = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new Refused("nobody to act");
    return list[random(list.length)]!;
  };
  const unitQuote = quoteUnits(f, WAD);
  const quoteAmount = (most: number) =>
    BigInt(1 + random(most)) * unitQuote + (BigInt(random(1_000_003)) % unitQuote);
  const price = (p: Picture) => p.snapshot.indexPriceWad;
  const baseFor = (quoteAmountUnits: bigint, priceWad: bigint) => {
    const scale = 10n ** BigInt(f.settings.baseDecimals);
    return (quoteAmountUnits * scale * WAD) / (unitQuote * priceWad);
  };
  const person = (p: Picture, who: HardhatEthersSigner): Person => p.people[f.people.indexOf(who)]!;
  const live = (p: Picture) => {
    if (!p.good || p.settledAt !== 0n) throw new Refused("no price");
  };
  const pool = (who: HardhatEthersSigner, method: string, ...args: unknown[]) =>
    act(f, who, marginPool, method, args);
  const order = async (who: HardhatEthersSigner, size: bigint) =>
    pool(who, "requestOrder", size, size > 0n ? MAX_UINT256 : 0n, (await now(f)) + 595n);
  const feedPrice = async () => {
    const last = await feed.latestRoundId();
    for (let id = last; ; id -= 1n) {
      const [, answer] = await feed.getRoundData(id);
      if (answer > 0n) return answer * 10n ** BigInt(18 - f.settings.feedDecimals);
    }
  };
  const round = async (priceWad: bigint, seconds: number) => {
    await time.increase(seconds);
    await publishPrice(f, priceWad);
  };
  const withPosition = (p: Picture) => traders.filter((who) => person(p, who).account.size !== 0n);
  const idle = (p: Picture) =>
    traders.filter(
      (who) =>
        person(p, who).order.requestedAt === 0n && person(p, who).account.collateral > unitQuote,
    );
  const shift = (priceWad: bigint, permille: number) =>
    (priceWad * BigInt(permille)) / 1_000n + BigInt(random(1_000)) * 10n ** 12n;

  return {
    // LPs
    deposit: () => pool(some(lps), "deposit", quoteAmount(200_000), some(lps).address),
    mint: async (p) => {
      live(p);
      return pool(some(lps), "mint", quoteAmount(40_000) * 1_000_003n, some(lps).address);
    },
    withdraw: async () => {
      const lp = some(lps);
      const most = await marginPool.maxWithdraw(lp);
      if (most === 0n) throw new Refused("nothing to withdraw");
      const amount = random(3) === 0 ? most : 1n + (most * BigInt(random(1_000))) / 2_000n;
      return pool(lp, "withdraw", amount, lp.address, lp.address);
    },
    redeem: async () => {
      const lp = some(lps);
      const most = await marginPool.maxRedeem(lp);
      if (most === 0n) throw new Refused("nothing to redeem");
      return pool(
        lp,
        "redeem",
        1n + (most * BigInt(random(1_000))) / 3_000n,
        lp.address,
        lp.address,
      );
    },
    // traders
    depositMargin: () => pool(some(traders), "depositMargin", quoteAmount(40_000)),
    withdrawMargin: (p) => {
      const who = some(traders);
      const { collateral } = person(p, who).account;
      if (collateral === 0n) throw new Refused("no margin");
      return pool(who, "withdrawMargin", 1n + (collateral * BigInt(random(1_000))) / 2_000n);
    },
    open: (p) => {
      live(p);
      const who = some(idle(p));
      const leverage = BigInt(8 + random(52)) * (random(2) === 0 ? 1n : -1n);
      const size = baseFor((person(p, who).account.collateral * leverage) / 10n, price(p));
      return order(who, size + BigInt(random(1_000)));
    },
    close: (p) => {
      live(p);
      const who = some(withPosition(p).filter((one) => idle(p).includes(one)));
      const { size } = person(p, who).position;
      return order(who, random(2) === 0 ? -size : -(size * BigInt(1 + random(1_200))) / 1_000n);
    },
    cancel: async (p) => {
      const who = some(traders.filter((one) => person(p, one).order.requestedAt !== 0n));
      if (random(2) === 0) await time.increase(601);
      return pool(who, "cancelOrder");
    },
    claim: (p) => {
      const owed = f.people.filter((_, i) => {
        const { credited, account } = p.people[i]!;
        return credited + account.unpaidClaim > 0n;
      });
      return pool(some(owed), "claim");
    },
    // keepers
    execute: async (p) => {
      const waiting = traders.filter((one) => person(p, one).order.requestedAt !== 0n);
      const newest = waiting.toSorted((a, b) =>
        Number(person(p, b).order.requestedAt - person(p, a).order.requestedAt),
      );
      const who = random(4) > 0 ? some(newest.slice(0, 1)) : some(waiting);
      if (random(5) > 0) await round(await feedPrice(), 5 + random(20));
      if (random(5) > 0) await act(f, keeper, volatilityOracle, "poke");
      if (random(3) === 0) await arbitrage(f, await feedPrice());
      return pool(keeper, "executeOrder", who.address);
    },
    liquidate: (p) => {
      const sick = traders.filter((who) => person(p, who).liquidates);
      return pool(keeper, "liquidate", some(sick).address);
    },
    rebalance: async (p) => {
      live(p);
      await arbitrage(f, await feedPrice());
      await pool(keeper, "sync");
      await passTime(f, 650n);
      await act(f, keeper, rebalancer, "rebalance");
    },
    poke: async () => {
      await act(f, keeper, rebalancer, "poke");
    },
    sync: () => pool(keeper, "sync"),
    autoDeleverage: () => pool(keeper, "autoDeleverage"),
    // the constant-product pool's other users
    arbitrage: async () => arbitrage(f, await feedPrice()),
    swapAway: async (p) => {
      live(p);
      const sellBase = random(2) === 0;
      const worth = quoteAmount(150_000);
      await swap(f, keeper, sellBase, sellBase ? baseFor(worth, price(p)) : worth);
    },
    // a donor
    donateQuote: async () => {
      await act(f, keeper, quote, "mint", [await marginPool.getAddress(), quoteAmount(1_000)]);
    },
    donateBase: async () => {
      await act(f, keeper, base, "mint", [await marginPool.getAddress(), 1_234_567n]);
    },
    skim: () => pool(keeper, "skim"),
    // the feed, which may be lazy
    tick: async () => round(shift(await feedPrice(), 985 + random(31)), 1 + random(600)),
    gap: async () => {
      const up = random(2) === 0;
      const size = 200 + random(301);
      await round(
        shift(await feedPrice(), up ? 1_000 + size : 1_000 - Math.floor(size * 0.8)),
        20 + random(900),
      );
    },
    burst: async () => {
      const middle = await feedPrice();
      for (let n = 2 + random(5); n > 0; n -= 1) {
        await round(shift(middle, 930 + random(141)), 3 + random(90));
      }
    },
    silence: async () => {
      await time.increase(3_000 + random(30_000));
    },
    squeeze: async (p) => {
      live(p);
      // against one account, to somewhere below its maintenance margin, at most 45 % of the price away
      const moves = withPosition(p).flatMap((who) => {
        const { position } = person(p, who);
        if (position.size === 0n) return [];
        const left = (position.maintenanceMargin * BigInt(5 + random(90))) / 100n;
        const scale = 10n ** BigInt(f.settings.baseDecimals);
        const move = ((position.equity - left) * scale * WAD) / (position.size * unitQuote);
        const most = (price(p) * 9n) / 20n;
        return move < most && move > -most ? [move] : [];
      });
      await round(price(p) - some(moves), 20 + random(60));
      if (random(2) === 0) await act(f, keeper, volatilityOracle, "poke");
    },
    phase: async () => {
      const answer = (await feedPrice()) / 10n ** BigInt(18 - f.settings.feedDecimals);
      await time.increase(61);
      const next = (((await feed.latestRoundId()) >> 64n) + 1n) << 64n;
      const at = await now(f);
      await feed.setRound(next + 1n, answer, at, at, next + 1n);
    },
    badRound: async () => {
      await time.increase(5);
      await feed.setPrice(random(2) === 0 ? 0n : -5n);
    },
    wait: async () => {
      await publishPrice(f, await feedPrice());
      if (random(3) > 0) await arbitrage(f);
      await passTime(f, BigInt(60 + random(5_000)));
    },
    // the guardian
    pause: () => pool(guardian, "pauseNewRisk"),
    unpause: () => pool(guardian, "unpauseNewRisk"),
    // the end
    settle: async (p) => {
      if (p.good) throw new Refused("the feed lives");
      return pool(keeper, "settle");
    },
  };
}

/** What is left to do with a settled pool. */
export function endOf(f: Crowd, cast: Cast, random: Random): Record<string, Handler> {
  const { marginPool, connection } = f;
  const everybody = f.people;
  const some = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new Refused("nobody to act");
    return list[random(list.length)]!;
  };
  const pool = (who: HardhatEthersSigner, method: string, ...args: unknown[]) =>
    act(f, who, marginPool, method, args);
  return {
    settleAccount: (p) => {
      const open = everybody.filter((_, i) => p.people[i]!.account.size !== 0n);
      return pool(some(everybody), "settleAccount", some(open).address);
    },
    finalizeSettlement: async () => {
      if (random(4) === 0) await connection.networkHelpers.time.increase(7 * 86_400);
      return pool(cast.keeper, "finalizeSettlement");
    },
    cancelSettled: (p) =>
      pool(some(everybody.filter((_, i) => p.people[i]!.order.requestedAt !== 0n)), "cancelOrder"),
    claimSettled: (p) =>
      pool(some(everybody.filter((_, i) => p.people[i]!.account.unpaidClaim > 0n)), "claim"),
    withdrawSettled: (p) => {
      const free = everybody.filter(
        (_, i) => p.people[i]!.account.size === 0n && p.people[i]!.account.collateral > 0n,
      );
      const who = some(free);
      return pool(who, "withdrawMargin", p.people[everybody.indexOf(who)]!.account.collateral);
    },
    redeemInKind: (p) => {
      const who = some(everybody.filter((_, i) => p.people[i]!.shares > 0n));
      const { shares } = p.people[everybody.indexOf(who)]!;
      const part = random(3) === 0 ? shares / 3n + 1n : shares;
      return pool(who, "redeemInKind", part, who.address);
    },
  };
}
