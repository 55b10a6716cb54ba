import type { BaseContract } from "ethers";
import {
  type DeploymentSettings,
  deployProtocol,
  type Protocol,
} from "../../deploy/deployProtocol.ts";
import { atFixedTimes } from "../../deploy/fixedTimes.ts";
import { GENESIS, MAX_UINT256, SECONDS_PER_BLOCK } from "../bench/conditions.ts";
import { type Call, call, createNetwork, type Deployed, GasChain } from "../bench/gasChain.ts";
import { WAD } from "../units.ts";
import { type Figures, figuresOf, type Row } from "./figures.ts";

/** Un-round, so that no two units coincide. */
export const MARGIN_SETTINGS = {
  initialPrice: (194_610n * WAD) / 1_000n,
  lpEquity: 10_037_411n * WAD,
  poolQuoteDepth: 20_411_873n * WAD,
  insurance: 101_303n * WAD,
};
/** First answer of the feed, 8 decimals. */
export const PRICE = 19_461_000_000n;
/** Quote that each of the two accounts holds, 6 decimals. */
const WALLET = 1_000_000_000_000_000n;
/** So far apart that each round makes a sample of the volatility. */
const ROUND_SECONDS = 60;
/** Of an order, in blocks. */
const LIFETIME_BLOCKS = 40;
const FIXED_TIMES = { firstAt: GENESIS + SECONDS_PER_BLOCK, spacing: SECONDS_PER_BLOCK };

/** A protocol on a chain of its own and two accounts: the user, who is measured, and the keeper. */
export class MarginChain {
  readonly chain: GasChain;
  readonly user: string;
  readonly keeper: string;
  readonly feed: Deployed;
  readonly base: Deployed;
  readonly quote: Deployed;
  readonly pool: Deployed;
  readonly rebalancer: Deployed;

  private constructor(
    chain: GasChain,
    [feed, base, quote, pool, rebalancer]: readonly [
      Deployed,
      Deployed,
      Deployed,
      Deployed,
      Deployed,
    ],
  ) {
    this.chain = chain;
    this.user = chain.user;
    this.keeper = chain.other;
    this.feed = feed;
    this.base = base;
    this.quote = quote;
    this.pool = pool;
    this.rebalancer = rebalancer;
  }

  /**
   * Deploys the protocol to a network of its own, measures, and closes the network. Contracts must be built.
   *
   * @param settings of the deployment; the network's first account deploys everything
   * @param measure what is measured on the chain that goes on from there
   * @param roles what is measured before, with the deployer's typed contracts
   */
  static async figures(
    settings: Partial<DeploymentSettings>,
    measure: (margin: MarginChain) => Promise<Row[]>,
    roles: (protocol: Protocol) => Promise<Row[]> = async () => [],
  ): Promise<Figures> {
    const connection = await createNetwork();
    try {
      const { result, timestamp } = await atFixedTimes(connection, FIXED_TIMES, async () => {
        const protocol = await deployProtocol(connection, settings);
        return { protocol, rows: await roles(protocol) };
      });
      const chain = await GasChain.takeOver(connection, 1, timestamp);
      const { feed, base, quote, marginPool, rebalancer } = result.protocol;
      const margin = new MarginChain(chain, [
        await deployed(feed),
        await deployed(base),
        await deployed(quote),
        await deployed(marginPool),
        await deployed(rebalancer),
      ]);
      await margin.#fund();
      return figuresOf([...result.rows, ...(await measure(margin))]);
    } finally {
      await connection.close();
    }
  }

  /** Gas of a call of the margin pool by the user. */
  byUser(method: string, ...args: readonly unknown[]): Promise<number> {
    return this.chain.measure(call(this.pool, method, args));
  }

  /** Gas of a call of the margin pool by the keeper. */
  byKeeper(method: string, ...args: readonly unknown[]): Promise<number> {
    return this.chain.measure(this.keepers(this.pool, method, ...args));
  }

  /** A call by the keeper. */
  keepers(to: Deployed, method: string, ...args: readonly unknown[]): Call {
    return { ...call(to, method, args), from: this.keeper };
  }

  /** The next round, so late that the next action takes a sample of it. */
  async publish(price: bigint): Promise<void> {
    this.chain.wait(ROUND_SECONDS - SECONDS_PER_BLOCK);
    await this.chain.send(call(this.feed, "setPrice", [price]));
  }

  /** The same, and the keeper pokes. Returns what that costs. */
  async poke(price: bigint): Promise<number> {
    await this.publish(price);
    return this.chain.measure(this.keepers(this.rebalancer, "poke"));
  }

  /** Gas of an account's request for any price. */
  request(size: bigint, from = this.user): Promise<number> {
    const expiresAt = this.chain.timestamp + LIFETIME_BLOCKS * SECONDS_PER_BLOCK;
    const limit = size > 0n ? MAX_UINT256 : 0n;
    return this.chain.measure({
      ...call(this.pool, "requestOrder", [size, limit, expiresAt]),
      from,
    });
  }

  /** Gas of a request and of its execution by the keeper on the next round. */
  async fill(size: bigint, price: bigint, from = this.user): Promise<[number, number]> {
    const requested = await this.request(size, from);
    await this.publish(price);
    return [requested, await this.byKeeper("executeOrder", from)];
  }

  async #fund(): Promise<void> {
    for (const from of [this.user, this.keeper]) {
      await this.chain.send(
        { ...call(this.quote, "mint", [from, WALLET]), from },
        { ...call(this.quote, "approve", [this.pool.address, MAX_UINT256]), from },
      );
    }
  }
}

async function deployed(contract: BaseContract): Promise<Deployed> {
  return { address: await contract.getAddress(), interface: contract.interface };
}
