import { getAddress, type Interface } from "ethers";
import hre, { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { deployProtocol, type Protocol } from "../../deploy/deployProtocol.ts";
import { atFixedTimes } from "../../deploy/fixedTimes.ts";
import { DEPLOYMENT_SECONDS } from "../deploymentSchedule.ts";
import { rescale, WAD_DECIMALS } from "../units.ts";
import {
  type Action,
  type ActionResult,
  type ActorRole,
  type BackendSetup,
  type ProtocolBackend,
  REBALANCE_REASONS,
  RISK_STATES,
  ViewRefused,
} from "./backend.ts";
import { BlockCache } from "./blockCache.ts";
import {
  type Callable,
  type EvmContracts,
  transactionOf,
  walletTransactions,
} from "./evmActions.ts";
import { EvmActors } from "./evmActors.ts";
import { EvmChain, revertDataOf } from "./evmChain.ts";
import { eventOf, nameOfError } from "./evmEvents.ts";

/** Blocks must hold every trader's orders of one step. */
const BLOCK_GAS_LIMIT = 2_000_000_000;
/** Wallets of simulated actors never run dry: 10^12 whole tokens. */
const WALLET_TOKENS = 10n ** 12n;

/** A backend on a chain of its own, and what lies behind it for whoever looks closer. */
export interface EvmBackend extends ProtocolBackend {
  readonly connection: NetworkConnection;
  readonly protocol: Protocol;
  /** Addresses of a role's actors by number. */
  addresses(role: ActorRole): readonly string[];
}

/** Compiles what changed since the last build; instant when nothing did. */
export async function buildContracts(): Promise<void> {
  await hre.tasks.getTask("build").run({ quiet: true, noTests: true });
}

/**
 * Deploys the protocol to an in-process chain of its own and lets agents act on it. The state depends on the setup
 * alone: transaction i of the deployment is mined at `startsAt - DEPLOYMENT_SECONDS + i` (see `deploymentSteps`), wallets
 * are filled at `startsAt - 1`, and the block at `startsAt` publishes `setup.initialPrice` again and pokes.
 *
 * @throws Error when a contract is missing (not built) or the deployment fails
 */
export async function createEvmBackend(setup: BackendSetup): Promise<EvmBackend> {
  const firstAt = setup.startsAt - DEPLOYMENT_SECONDS;
  const connection = await network.create({
    override: {
      initialDate: new Date((firstAt - 1) * 1000),
      initialBaseFeePerGas: 0,
      blockGasLimit: BLOCK_GAS_LIMIT,
    },
  });
  const { result: protocol } = await atFixedTimes(connection, { firstAt, spacing: 1 }, () =>
    deployProtocol(connection, { ...setup.settings, initialPrice: setup.initialPrice }),
  );
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new Error("the in-process chain has no account");
  const actors = new EvmActors(
    {
      keeper: 1,
      liquidator: 1,
      arbitrageur: 1,
      lp: 1,
      provider: 1,
      ...setup.actorCounts,
      trader: setup.traderCount,
    },
    deployer.address,
  );
  const contracts = await contractsOf(protocol);
  const { pool, marginPool, rebalancer, baseDecimals, quoteDecimals } = contracts;
  const executionFee = await protocol.marginPool.executionFee();
  const chain = await EvmChain.take(connection.provider, [
    actors.feedOperator,
    deployer.address,
    ...(["trader", "keeper", "liquidator", "arbitrageur", "lp", "provider"] as const).flatMap(
      (role) => actors.of(role),
    ),
  ]);

  const cache = new BlockCache();
  const view = async (to: Callable, method: string, args: readonly unknown[] = []) => {
    try {
      const data = await chain.call(to.address, to.interface.encodeFunctionData(method, args));
      return to.interface.decodeFunctionResult(method, data);
    } catch (thrown) {
      throw refusal(method, thrown, contracts);
    }
  };
  const mine = async (timestamp: number, actions: readonly Action[]): Promise<ActionResult[]> => {
    cache.clear();
    const transactions = actions.map((action) => transactionOf(action, contracts, actors));
    const receipts = await chain.mine(timestamp, transactions);
    return receipts.map(({ ok, logs, revertData }, index) => ({
      action: actions[index] as Action,
      ok,
      ...(revertData === undefined ? {} : { error: nameOfError(revertData, contracts) }),
      events: logs
        .map((log) => eventOf(log, contracts, actors))
        .filter((event) => event !== undefined),
    }));
  };

  const wallets = walletTransactions(contracts, actors, WALLET_TOKENS);
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
    addresses: (role) => actors.of(role),
    baseDecimals,
    quoteDecimals,
    executionFee,
    mine,
    pool: () =>
      cache.get("pool", async () => {
        const reserves = await view(pool, "getReserves");
        const [fee] = await view(pool, "swapFee");
        const [reserveBase, reserveQuote] = contracts.baseIsToken0
          ? [reserves[0], reserves[1]]
          : [reserves[1], reserves[0]];
        return { reserveBase, reserveQuote, swapFee: fee };
      }),
    solvency: () =>
      cache.get("solvency", async () => {
        const [state] = await view(marginPool, "poolState");
        const [snapshot] = await view(marginPool, "snapshot");
        const base = (valueWad: bigint) => rescale(valueWad, WAD_DECIMALS, baseDecimals);
        return {
          equity: state.equity,
          equityBid: state.equityBid,
          equityAsk: state.equityAsk,
          requiredEquity: state.requiredEquity,
          inventoryBase: base(snapshot.inventoryBaseWad),
          skew: state.skew,
          targetInventoryBase: state.targetInventoryBase,
          netExposureBase: state.netExposureBase,
          outerBand: base(snapshot.outerBandWad),
          outside: snapshot.outsideSince !== 0n,
          solvencyRatio: state.solvencyRatioWad,
          volatility: snapshot.volatilityWad,
          indexPrice: snapshot.indexPriceWad,
          hedgeRatePpm: snapshot.hedgeRatePpm,
          riskState: RISK_STATES[Number(state.riskState)] ?? "Normal",
        };
      }),
    ledgers: () =>
      cache.get("ledgers", async () => {
        const [ledgers] = await view(marginPool, "ledgers");
        const [fundingIndex] = await view(marginPool, "funding");
        return {
          inventoryBase: ledgers.inventoryBase,
          inventoryQuote: ledgers.inventoryQuote,
          longOpenInterest: ledgers.longOpenInterest,
          shortOpenInterest: ledgers.shortOpenInterest,
          skewPremium: ledgers.skewPremium,
          pendingIncome: ledgers.pendingIncome,
          insuranceFund: ledgers.insuranceFund,
          unpaidClaims: ledgers.unpaidClaims,
          fundingIndex,
        };
      }),
    settlement: () =>
      cache.get("settlement", async () => {
        const [settlement] = await view(marginPool, "settlement");
        return {
          price: settlement.priceWad,
          settledAt: Number(settlement.settledAt),
          finalizedAt: Number(settlement.finalizedAt),
        };
      }),
    badDebt: () => cache.get("badDebt", async () => (await view(marginPool, "badDebt"))[0]),
    account: (trader) =>
      cache.get(`account ${trader}`, async () => {
        const address = actors.address("trader", trader);
        const [account] = await view(marginPool, "marginAccount", [address]);
        return {
          size: account.size,
          entryNotional: account.entryNotional,
          collateral: account.collateral,
        };
      }),
    position: (trader) =>
      cache.get(`position ${trader}`, async () => {
        const address = actors.address("trader", trader);
        const [position] = await view(marginPool, "position", [address]);
        return {
          size: position.size,
          entryNotional: position.entryNotional,
          collateral: position.collateral,
          equity: position.equity,
          liquidatable: position.liquidatable,
        };
      }),
    shares: (lp) =>
      cache.get(`shares ${lp}`, async () => {
        const address = actors.address("lp", lp);
        const [shares] = await view(marginPool, "balanceOf", [address]);
        const [totalShares] = await view(marginPool, "totalSupply");
        const [maxRedeem] = await view(marginPool, "maxRedeem", [address]);
        const [maxDeposit] = await view(marginPool, "maxDeposit", [address]);
        return { shares, totalShares, maxRedeem, maxDeposit };
      }),
    liquidity: (provider) =>
      cache.get(`liquidity ${provider}`, async () => {
        const [liquidity] = await view(pool, "balanceOf", [actors.address("provider", provider)]);
        const [totalLiquidity] = await view(pool, "totalSupply");
        return { liquidity, totalLiquidity };
      }),
    credit: (role, actor) =>
      cache.get(
        `credit ${role} ${actor}`,
        async () => (await view(marginPool, "creditedOf", [actors.address(role, actor)]))[0],
      ),
    planRebalance: (timestamp) =>
      cache.get(`plan ${timestamp}`, async () => {
        const { address, interface: abi } = rebalancer;
        const data = abi.encodeFunctionData("previewRebalance");
        let answer: string;
        try {
          answer = await chain.callAt(timestamp, address, data);
        } catch (thrown) {
          throw refusal("previewRebalance", thrown, contracts);
        }
        const [plan] = abi.decodeFunctionResult("previewRebalance", answer);
        return {
          reason: REBALANCE_REASONS[Number(plan.reason)] ?? "InsideBand",
          sellBase: plan.sellBase,
          amountBase: plan.amountBase,
          quoteLimit: plan.quoteLimit,
          innerBand: plan.innerBand,
          outerBand: plan.outerBand,
        };
      }),
    close: () => connection.close(),
  };
}

/** A view's revert as `ViewRefused`; whatever else went wrong stays what it is. */
function refusal(view: string, thrown: unknown, contracts: EvmContracts): unknown {
  const data = revertDataOf(thrown);
  return data === "0x" ? thrown : new ViewRefused(view, nameOfError(data, contracts));
}

async function contractsOf(protocol: Protocol): Promise<EvmContracts> {
  const callable = async (contract: {
    interface: Interface;
    getAddress(): Promise<string>;
  }): Promise<Callable> => ({
    address: await contract.getAddress(),
    interface: contract.interface,
  });
  const base = await callable(protocol.base);
  return {
    base,
    quote: await callable(protocol.quote),
    feed: await callable(protocol.feed),
    pool: await callable(protocol.pool),
    priceOracle: await callable(protocol.priceOracle),
    volatilityOracle: await callable(protocol.volatilityOracle),
    marginPool: await callable(protocol.marginPool),
    rebalancer: await callable(protocol.rebalancer),
    baseIsToken0: getAddress(await protocol.pool.token0()) === getAddress(base.address),
    baseDecimals: Number(await protocol.base.decimals()),
    quoteDecimals: Number(await protocol.quote.decimals()),
    feedDecimals: Number(await protocol.feed.decimals()),
  };
}
