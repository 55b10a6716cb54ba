import { getAddress, type Interface, toBeHex, ZeroAddress } from "ethers";
import hre, { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployProtocol, type Protocol } from "../../deploy/deployProtocol.ts";
import { rescale, WAD_DECIMALS } from "../units.ts";
import {
  type Action,
  type ActionResult,
  type BackendSetup,
  type ProtocolBackend,
  type ProtocolEvent,
  REBALANCE_REASONS,
  RISK_STATES,
} from "./backend.ts";
import { type ChainLog, type ChainTransaction, EvmChain } from "./evmChain.ts";

/** The chain begins this long before the path: time for the deployment's own blocks. */
const DEPLOYMENT_SECONDS = 600;
/** Blocks must hold every trader's orders of one step. */
const BLOCK_GAS_LIMIT = 2_000_000_000;
const MAX_UINT256 = 2n ** 256n - 1n;
/** Wallets of simulated actors never run dry: 10^12 whole tokens. */
const WALLET_TOKENS = 10n ** 12n;

const FEED_OPERATOR = actorAddress(1n);
const ARBITRAGEUR = actorAddress(2n);
const KEEPER = actorAddress(3n);
const FIRST_TRADER = 0x1000n;

/** A contract of the deployment, as far as encoding and decoding need it. */
interface Callable {
  readonly address: string;
  readonly interface: Interface;
}

/** A backend on a chain of its own, and what lies behind it for whoever looks closer. */
export interface EvmBackend extends ProtocolBackend {
  readonly connection: NetworkConnection;
  readonly protocol: Protocol;
  /** Addresses of the traders by number, and of the keeper. */
  readonly traders: readonly string[];
  readonly keeper: string;
}

/** Compiles what changed since the last build; instant when nothing did. */
export async function buildContracts(): Promise<void> {
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
}

/**
 * Deploys the protocol to an in-process chain of its own and lets agents act on it.
 *
 * The chain's clock stands at `setup.startsAt` afterwards, with a price round at `setup.initialPrice`.
 *
 * @throws Error when a contract is missing (not built) or the deployment fails
 */
export async function createEvmBackend(setup: BackendSetup): Promise<EvmBackend> {
  const connection = await network.create({
    override: {
      initialDate: new Date((setup.startsAt - DEPLOYMENT_SECONDS) * 1000),
      initialBaseFeePerGas: 0,
      blockGasLimit: BLOCK_GAS_LIMIT,
    },
  });
  const protocol = await deployProtocol(connection, { initialPrice: setup.initialPrice });
  const callable = async (contract: {
    interface: Interface;
    getAddress(): Promise<string>;
  }): Promise<Callable> => ({
    address: await contract.getAddress(),
    interface: contract.interface,
  });
  const base = await callable(protocol.base);
  const quote = await callable(protocol.quote);
  const feed = await callable(protocol.feed);
  const pool = await callable(protocol.pool);
  const marginPool = await callable(protocol.marginPool);
  const rebalancer = await callable(protocol.rebalancer);
  const baseDecimals = Number(await protocol.base.decimals());
  const quoteDecimals = Number(await protocol.quote.decimals());
  const feedDecimals = Number(await protocol.feed.decimals());
  const executionFee = await protocol.marginPool.executionFee();

  const traders = Array.from({ length: setup.traderCount }, (_, i) =>
    actorAddress(FIRST_TRADER + BigInt(i)),
  );
  const traderOf = new Map(traders.map((address, trader) => [address, trader]));
  const chain = await EvmChain.take(connection.provider, [
    FEED_OPERATOR,
    ARBITRAGEUR,
    KEEPER,
    ...traders,
  ]);
  const baseIsToken0 = getAddress(await protocol.pool.token0()) === getAddress(base.address);

  const send = (
    from: string,
    to: Callable,
    method: string,
    args: readonly unknown[],
  ): ChainTransaction => ({
    from,
    to: to.address,
    data: to.interface.encodeFunctionData(method, args),
  });
  const view = async (to: Callable, method: string, args: readonly unknown[] = []) =>
    to.interface.decodeFunctionResult(
      method,
      await chain.call(to.address, to.interface.encodeFunctionData(method, args)),
    );
  const nameOfError = (data: string): string =>
    [marginPool, rebalancer, pool]
      .map((contract) => contract.interface.parseError(data)?.name)
      .find(Boolean) ?? `unknown error ${data.slice(0, 10)}`;
  const traderAt = (address: unknown): number => traderOf.get(String(address)) ?? -1;
  const addressOf = (trader: number): string => traders[trader] ?? ZeroAddress;

  const transactionOf = (action: Action): ChainTransaction => {
    switch (action.kind) {
      case "publishPrice":
        return send(FEED_OPERATOR, feed, "setPrice", [
          rescale(action.price, WAD_DECIMALS, feedDecimals),
        ]);
      case "swap": {
        const tokenIn = action.sellBase ? base.address : quote.address;
        return send(ARBITRAGEUR, pool, "swapExactInput", [
          tokenIn,
          action.amountIn,
          1n,
          ARBITRAGEUR,
          MAX_UINT256,
        ]);
      }
      case "depositMargin":
      case "withdrawMargin":
        return send(addressOf(action.trader), marginPool, action.kind, [action.amount]);
      case "requestOrder":
        return send(addressOf(action.trader), marginPool, "requestOrder", [
          action.sizeDelta,
          action.acceptablePrice,
          action.expiresAt,
        ]);
      case "executeOrder":
      case "liquidate":
        return send(KEEPER, marginPool, action.kind, [addressOf(action.trader)]);
      case "rebalance":
      case "poke":
        return send(KEEPER, rebalancer, action.kind, []);
    }
  };

  const eventOf = (log: ChainLog): ProtocolEvent | undefined => {
    const contract = [marginPool, rebalancer, pool].find(
      ({ address }) => getAddress(log.address) === address,
    );
    const event = contract?.interface.parseLog({ topics: [...log.topics], data: log.data });
    if (event === null || event === undefined) return undefined;
    const { args } = event;
    switch (event.name) {
      case "OrderExecuted":
        return {
          kind: "OrderExecuted",
          trader: traderAt(args.account),
          sizeDelta: args.filled.sizeDelta,
          remaining: args.remainingSizeDelta,
        };
      case "OrderFailed":
        return {
          kind: "OrderFailed",
          trader: traderAt(args.account),
          reason: nameOfError(args.reason),
        };
      case "OrderExpired":
        return { kind: "OrderExpired", trader: traderAt(args.account) };
      case "Liquidated":
        return {
          kind: "Liquidated",
          trader: traderAt(args.account),
          badDebt: args.liquidation.badDebt,
        };
      case "Rebalanced":
        return { kind: "Rebalanced", baseDelta: args.baseDelta, cost: args.cost };
      case "Swap": {
        const [baseSide, quoteSide] = baseIsToken0 ? ["0", "1"] : ["1", "0"];
        return {
          kind: "Swap",
          baseIn: args[`amount${baseSide}In`],
          quoteIn: args[`amount${quoteSide}In`],
          baseOut: args[`amount${baseSide}Out`],
          quoteOut: args[`amount${quoteSide}Out`],
        };
      }
      default:
        return undefined;
    }
  };

  const mine = async (timestamp: number, actions: readonly Action[]): Promise<ActionResult[]> => {
    const receipts = await chain.mine(timestamp, actions.map(transactionOf));
    return receipts.map(({ ok, logs, revertData }, index) => ({
      action: actions[index] as Action,
      ok,
      ...(revertData === undefined ? {} : { error: nameOfError(revertData) }),
      events: logs.map(eventOf).filter((event) => event !== undefined),
    }));
  };

  const wallets = [
    send(ARBITRAGEUR, base, "mint", [ARBITRAGEUR, WALLET_TOKENS * 10n ** BigInt(baseDecimals)]),
    send(ARBITRAGEUR, base, "approve", [pool.address, MAX_UINT256]),
    send(ARBITRAGEUR, quote, "mint", [ARBITRAGEUR, WALLET_TOKENS * 10n ** BigInt(quoteDecimals)]),
    send(ARBITRAGEUR, quote, "approve", [pool.address, MAX_UINT256]),
    ...traders.flatMap((trader) => [
      send(trader, quote, "mint", [trader, WALLET_TOKENS * 10n ** BigInt(quoteDecimals)]),
      send(trader, quote, "approve", [marginPool.address, MAX_UINT256]),
    ]),
  ];
  const funded = await chain.mine(setup.startsAt - 1, wallets);
  const opened = await mine(setup.startsAt, [
    { kind: "publishPrice", price: setup.initialPrice },
    { kind: "poke" },
  ]);
  const refused = [...funded, ...opened].find(({ ok }) => !ok);
  if (refused !== undefined)
    throw new Error("the deployed protocol refused the first price round or a wallet's approval");

  return {
    connection,
    protocol,
    traders,
    keeper: KEEPER,
    baseDecimals,
    quoteDecimals,
    executionFee,
    mine,
    pool: async () => {
      const reserves = await view(pool, "getReserves");
      const [fee] = await view(pool, "swapFee");
      const [reserveBase, reserveQuote] = baseIsToken0
        ? [reserves[0], reserves[1]]
        : [reserves[1], reserves[0]];
      return { reserveBase, reserveQuote, swapFee: fee };
    },
    solvency: async () => {
      const [state] = await view(marginPool, "poolState");
      const [snapshot] = await view(marginPool, "snapshot");
      return {
        equity: state.equity,
        equityBid: state.equityBid,
        skew: state.skew,
        netExposureBase: state.netExposureBase,
        outerBand: rescale(snapshot.outerBandWad, WAD_DECIMALS, baseDecimals),
        solvencyRatio: state.solvencyRatioWad,
        volatility: snapshot.volatilityWad,
        riskState: RISK_STATES[Number(state.riskState)] ?? "Normal",
      };
    },
    badDebt: async () => (await view(marginPool, "badDebt"))[0],
    account: async (trader) => {
      const [account] = await view(marginPool, "marginAccount", [addressOf(trader)]);
      return {
        size: account.size,
        entryNotional: account.entryNotional,
        collateral: account.collateral,
      };
    },
    position: async (trader) => {
      const [position] = await view(marginPool, "position", [addressOf(trader)]);
      return { equity: position.equity, liquidatable: position.liquidatable };
    },
    planRebalance: async (timestamp) => {
      const { address, interface: abi } = rebalancer;
      const data = abi.encodeFunctionData("previewRebalance");
      const [plan] = abi.decodeFunctionResult(
        "previewRebalance",
        await chain.callAt(timestamp, address, data),
      );
      return {
        reason: REBALANCE_REASONS[Number(plan.reason)] ?? "InsideBand",
        sellBase: plan.sellBase,
        amountBase: plan.amountBase,
        quoteLimit: plan.quoteLimit,
        innerBand: plan.innerBand,
        outerBand: plan.outerBand,
      };
    },
    close: () => connection.close(),
  };
}

function actorAddress(number: bigint): string {
  // A prefix of its own keeps actors clear of precompiles and of the node's funded accounts.
  return getAddress(toBeHex((0xba11a57n << 128n) | number, 20));
}
