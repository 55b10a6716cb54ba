import { Accounts } from "../../src/simulation/agents/accounts.ts";
import type { AgentView } from "../../src/simulation/agents/agent.ts";
import { OrderQueue } from "../../src/simulation/agents/orderQueue.ts";
import type {
  LedgersView,
  PoolView,
  ProtocolBackend,
  SolvencyView,
} from "../../src/simulation/backend.ts";

const WAD = 10n ** 18n;
const TOKEN = 10n ** 18n;
const QUOTE = 10n ** 6n;

/** 194.61 quote per base. */
export const PRICE = (194_610n * WAD) / 1_000n;

/** A pool of 20 M a side at 194.61, 30 bp. */
export const POOL: PoolView = {
  reserveBase: (20_000_000n * TOKEN * 1_000n) / 194_610n,
  reserveQuote: 20_000_000n * QUOTE,
  swapFee: 3_000n,
};

/** A margin pool of 10 M at rest: half in base, nobody trades. */
export const SOLVENCY: SolvencyView = {
  equity: 10_000_000n * QUOTE,
  equityBid: 9_997_500n * QUOTE,
  equityAsk: 10_002_500n * QUOTE,
  requiredEquity: 1_000_000n * QUOTE,
  inventoryBase: (5_000_000n * TOKEN * 1_000n) / 194_610n,
  skew: 0n,
  targetInventoryBase: (5_000_000n * TOKEN * 1_000n) / 194_610n,
  netExposureBase: 0n,
  outerBand: 500n * TOKEN,
  outside: false,
  solvencyRatio: 10n * WAD,
  volatility: (6n * WAD) / 10n,
  indexPrice: PRICE,
  hedgeRatePpm: 3_100n,
  riskState: "Normal",
};

export const LEDGERS: LedgersView = {
  inventoryBase: SOLVENCY.inventoryBase,
  inventoryQuote: 5_000_000n * QUOTE,
  longOpenInterest: 0n,
  shortOpenInterest: 0n,
  skewPremium: 0n,
  pendingIncome: 0n,
  insuranceFund: 100_000n * QUOTE,
  unpaidClaims: 0n,
  fundingIndex: 0n,
};

/** A backend that shows one moment: figures of a pool at rest unless given, and no more views than given. */
export function stubBackend(views: Partial<ProtocolBackend> = {}): ProtocolBackend {
  const none = (view: string) => () => Promise.reject(new Error(`the stub has no ${view}`));
  return {
    baseDecimals: 18,
    quoteDecimals: 6,
    executionFee: QUOTE / 2n,
    mine: none("blocks"),
    pool: async () => POOL,
    solvency: async () => SOLVENCY,
    ledgers: async () => LEDGERS,
    settlement: async () => ({ price: 0n, settledAt: 0, finalizedAt: 0 }),
    badDebt: async () => 0n,
    account: async () => ({ size: 0n, entryNotional: 0n, collateral: 0n }),
    position: none("position"),
    shares: none("shares"),
    liquidity: none("liquidity"),
    credit: async () => 0n,
    planRebalance: none("plan"),
    close: async () => {},
    ...views,
  };
}

/** What an agent sees in a quiet moment, with what a test changes of it. */
export function agentView(changes: Partial<AgentView> = {}): AgentView {
  const backend = changes.backend ?? stubBackend();
  const price = changes.price ?? PRICE;
  return {
    backend,
    step: 0,
    bar: { close: price },
    next: [],
    stepSeconds: 300,
    time: 1_767_225_600,
    at: 1_767_225_601,
    price,
    rounds: 1,
    gasPriceGwei: 20,
    priceGood: true,
    solvency: SOLVENCY,
    pool: POOL,
    accounts: new Accounts(backend),
    orders: new OrderQueue(),
    plan: undefined,
    ...changes,
  };
}
