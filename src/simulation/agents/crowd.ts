import {
  absolute,
  powerOfTen,
  toNumber,
  toNumberFast,
  WAD,
  WAD_DECIMALS,
  type Wad,
} from "../../units.ts";
import { type Action, type ActionResult, andThen, type Eventual } from "../backend.ts";
import type { Intent, OrderFlow } from "../flows/orderFlow.ts";
import { TRADER_COUNT } from "../flows/shadowBook.ts";
import { estimateRisk } from "../riskEstimate.ts";
import { type Agent, type AgentView, NO_ACTIONS, type Stage } from "./agent.ts";
import { OrderCounter, type OrderCounts } from "./orderCounts.ts";

/** Traders never accept a fill further from index than this, whatever they would pay. */
const MAXIMUM_SLIPPAGE_BPS = 200;
/** What would be left of a position below this (whole quote tokens) is closed as well. */
const MINIMUM_POSITION_QUOTE = 5_000;
/** Traders keep this distance to the initial margin. */
const LEVERAGE_SAFETY = 0.95;
const ORDER_LIFETIME_SECONDS = 600;
const PPM = 1_000_000n;
const NO_PRICE = "no good price";
const SETTLED = "the pool is settled";

/** The crowd: accounts from 0 that turn a flow's intents into margin and orders. */
export class Crowd implements Agent {
  readonly stages: readonly Stage[] = ["request"];
  /** Only to keep counting intents: there is no trading any more. */
  readonly actsAfterSettlement = true;
  readonly #flow: OrderFlow;
  readonly #counter = new OrderCounter(TRADER_COUNT);
  #intents = 0;

  constructor(flow: OrderFlow) {
    this.#flow = flow;
  }

  /** Intents so far, the same in every run of a comparison. */
  get intents(): number {
    return this.#intents;
  }

  /** What became of them, if the run ended now. */
  counts(): OrderCounts {
    return this.#counter.counts();
  }

  act(view: AgentView): Eventual<readonly Action[]> {
    const intents = this.#flow.next(toNumber(view.price, WAD_DECIMALS));
    this.#intents += intents.length;
    const obstacle =
      view.solvency.riskState === "Settled" ? SETTLED : view.priceGood ? undefined : NO_PRICE;
    if (obstacle !== undefined) for (const _ of intents) this.#counter.refused(obstacle);
    return intents.length === 0 || obstacle !== undefined
      ? NO_ACTIONS
      : this.#requests(intents, view);
  }

  observe(results: readonly ActionResult[]): void {
    this.#counter.observe(results);
  }

  #requests(intents: readonly Intent[], view: AgentView): Eventual<Action[]> {
    let actions: Eventual<Action[]> = [];
    for (const intent of intents) {
      if (this.#counter.waits(intent.trader)) this.#counter.busy();
      else actions = andThen(actions, (before) => request(intent, view, before));
    }
    return actions;
  }
}

/** The transactions with which a trader follows an intent, after those of others. */
function request(intent: Intent, view: AgentView, before: readonly Action[]): Eventual<Action[]> {
  const { backend, price, solvency } = view;
  const { trader, leverage, notionalQuote } = intent;
  const account = view.accounts.get(trader);
  const notionalOf = (size: bigint) => toNumberFast((size * price) / WAD, backend.baseDecimals);
  const toQuote = (wholeTokens: number) =>
    BigInt(Math.ceil(wholeTokens)) * powerOfTen(backend.quoteDecimals);

  const wanted = (BigInt(notionalQuote) * powerOfTen(backend.baseDecimals) * WAD) / price;
  const closes = account.size * wanted < 0n;
  // A remainder too small to keep is closed as well.
  const sizeDelta =
    closes && notionalOf(absolute(account.size + wanted)) < MINIMUM_POSITION_QUOTE
      ? -account.size
      : wanted;
  const slippageBps = Math.min(MAXIMUM_SLIPPAGE_BPS, intent.reservationCostBps);

  const sizeAfter = account.size + sizeDelta;
  const opened =
    account.size * sizeDelta < 0n
      ? max(0n, absolute(sizeDelta) - absolute(account.size))
      : absolute(sizeDelta);
  const risk = estimateRisk(solvency, backend.quoteDecimals);
  const totalNotional = notionalOf(absolute(sizeAfter));
  const ratio = risk.initialMarginRatio(totalNotional) / LEVERAGE_SAFETY;
  const allowance = notionalOf(absolute(sizeDelta)) * (slippageBps / 10_000);
  const margin = notionalOf(opened) * Math.max(ratio, 1 / leverage) + allowance;
  const fee = backend.executionFee;

  const transactions = (deposit: bigint): Action[] => {
    const actions = [...before];
    if (deposit > 0n) actions.push({ kind: "depositMargin", trader, amount: deposit });
    if (deposit < 0n) actions.push({ kind: "withdrawMargin", trader, amount: -deposit });
    actions.push({
      kind: "requestOrder",
      trader,
      sizeDelta,
      acceptablePrice: acceptablePrice(price, sizeDelta, slippageBps),
      expiresAt: view.at + ORDER_LIFETIME_SECONDS,
    });
    return actions;
  };
  if (account.size === 0n) return transactions(toQuote(margin) + fee - account.collateral);
  if (opened === 0n) return transactions(fee);
  return andThen(backend.position(trader), (position) => {
    // The protocol wants the margin in cash: profit that is not realized does not count.
    const equity = min(position.equity, account.collateral);
    const needed = toQuote(totalNotional * ratio + allowance);
    const added = account.size * sizeDelta > 0n ? toQuote(margin) : 0n;
    return transactions(max(added, needed - equity) + fee);
  });
}

function acceptablePrice(price: Wad, sizeDelta: bigint, slippageBps: number): Wad {
  const slippagePpm = BigInt(Math.floor(slippageBps * 100));
  return (price * (sizeDelta > 0n ? PPM + slippagePpm : PPM - slippagePpm)) / PPM;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
