import { expect } from "chai";
import { Accounts } from "../../../../src/simulation/agents/accounts.ts";
import { Crowd } from "../../../../src/simulation/agents/crowd.ts";
import { Deleverager } from "../../../../src/simulation/agents/deleverager.ts";
import { OrderCounter } from "../../../../src/simulation/agents/orderCounts.ts";
import { OrderQueue } from "../../../../src/simulation/agents/orderQueue.ts";
import { Settler } from "../../../../src/simulation/agents/settler.ts";
import type {
  Action,
  ActionResult,
  ProtocolEvent,
  RiskState,
} from "../../../../src/simulation/backend.ts";
import { OrderFlow } from "../../../../src/simulation/flows/orderFlow.ts";
import { agentView, SOLVENCY, stubBackend } from "../../../support/agentView.ts";

const START = 1_767_225_601;

function requested(trader: number, error?: string): ActionResult {
  const order = { sizeDelta: 1n, acceptablePrice: 1n, expiresAt: 1 };
  const action: Action = { kind: "requestOrder", trader, ...order };
  return error === undefined
    ? { action, ok: true, events: [] }
    : { action, ok: false, error, events: [] };
}

function happened(...events: ProtocolEvent[]): ActionResult {
  return { action: { kind: "poke" }, ok: true, events };
}

function executed(trader: number, remaining: bigint): ProtocolEvent {
  const amounts = { fillPrice: 1n, realizedProfit: 0n, fundingPaid: 0n, premium: 0n };
  const costs = { takerFee: 0n, hedgeCharge: 0n, indexPrice: 1n };
  const after = { size: 1n, entryNotional: 1n, collateral: 1n };
  const fill = { sizeDelta: 1n, remaining, ...amounts, ...costs, ...after };
  return { kind: "OrderExecuted", trader, keeper: 0, ...fill };
}

const failed = (trader: number, reason: string): ProtocolEvent => ({
  kind: "OrderFailed",
  trader,
  keeper: 0,
  reason,
});

describe("Order counts", () => {
  it("give reasons for failed orders, not for declined ones", () => {
    const counter = new OrderCounter(40);
    counter.observe([
      requested(1, "MarginPool_PriceNotAcceptable"),
      requested(2, "MarginPool_InsufficientMargin"),
      requested(3),
      happened(failed(3, "MarginPool_InsufficientMargin")),
    ]);
    const counts = counter.counts();
    expect(counts).to.include({ declined: 1, failed: 2, accepted: 0 });
    expect([...counts.reasons]).to.deep.equal([["MarginPool_InsufficientMargin", 2]]);
  });

  it("count an order once, however many parts it is filled in", () => {
    const counter = new OrderCounter(40);
    counter.observe([requested(1), happened(executed(1, 5n)), happened(executed(1, 0n))]);
    expect(counter.counts()).to.include({ accepted: 1, partlyFilled: 0, expired: 0 });
    counter.observe([requested(1), happened(executed(1, 5n))]);
    expect(counter.waits(1)).to.equal(true);
    expect(counter.counts()).to.include({ accepted: 2, partlyFilled: 1, expired: 0 });
    counter.observe([happened({ kind: "OrderExpired", trader: 1, keeper: 0 }), requested(2)]);
    expect(counter.counts()).to.include({ accepted: 2, partlyFilled: 1, expired: 1 });
  });

  it("leave out other accounts than the crowd's", () => {
    const counter = new OrderCounter(40);
    counter.observe([requested(40), happened(executed(40, 0n))]);
    expect(counter.counts()).to.include({ accepted: 0, failed: 0 });
  });
});

describe("The queue of orders", () => {
  it("keeps the order of requests and forgets what was filled, failed, expired or canceled", () => {
    const queue = new OrderQueue();
    queue.observe(
      [5, 4, 3, 2, 1].map((trader) => requested(trader)),
      1,
    );
    queue.observe([requested(9, "refused")], 1);
    expect(queue.ready(1)).to.deep.equal([]);
    expect(queue.ready(2)).to.deep.equal([5, 4, 3, 2, 1]);
    queue.observe(
      [
        happened(executed(5, 0n), executed(4, 7n), failed(3, "x")),
        happened({ kind: "OrderExpired", trader: 2, keeper: 0 }),
        happened({ kind: "OrderCanceled", trader: 1 }),
      ],
      2,
    );
    expect(queue.length).to.equal(1);
    expect(queue.ready(2), "the rest waits for another round").to.deep.equal([]);
    expect(queue.ready(3)).to.deep.equal([4]);
  });
});

describe("Accounts as last seen", () => {
  it("are read again when touched, all of them after a deleveraging", async () => {
    const read: number[] = [];
    const backend = stubBackend({
      account: async (trader) => {
        read.push(trader);
        return { size: 10n, entryNotional: 10n, collateral: 10n };
      },
      position: async () => {
        const left = { size: 4n, entryNotional: 4n, collateral: 12n };
        return { ...left, equity: 12n, liquidatable: false };
      },
    });
    const accounts = new Accounts(backend);
    await accounts.observe([requested(2), happened(executed(2, 0n)), requested(1)], START);
    expect(read).to.deep.equal([2, 1]);
    expect(accounts.get(2).size).to.equal(10n);
    const deleveraged = { epoch: 1n, fraction: 1n, indexPrice: 1n, keeper: 0, long: true };
    const ratios = { solvencyRatioBefore: 1n, solvencyRatioAfter: 1n };
    await accounts.observe([happened({ kind: "Deleveraged", ...deleveraged, ...ratios })], START);
    expect([...accounts.open()].map(({ size }) => size)).to.deep.equal([4n, 4n]);
    expect(accounts.get(7).size).to.equal(0n);
  });
});

describe("The crowd", () => {
  const flow = () =>
    new OrderFlow(
      "noise",
      1,
      { open: 194.61, stepSeconds: 3_600 },
      { initialEquityQuote: 10_000_000, targetBaseWeight: 0.5 },
    );
  const settled = { ...SOLVENCY, riskState: "Settled" as const };

  it("turns each intent into margin and an order", async () => {
    const crowd = new Crowd(flow());
    const actions = await crowd.act(agentView());
    const orders = actions.filter(({ kind }) => kind === "requestOrder");
    expect(crowd.intents).to.be.greaterThan(0);
    expect(orders.length).to.equal(crowd.intents);
    expect(actions.length).to.equal(2 * crowd.intents);
  });

  it("keeps wishing without a price and after settlement, and counts it as refused", async () => {
    const [free, blind] = [new Crowd(flow()), new Crowd(flow())];
    for (let step = 0; step < 5; step++) {
      await free.act(agentView());
      expect(await blind.act(agentView({ priceGood: step > 2, solvency: settled }))).to.deep.equal(
        [],
      );
    }
    expect(blind.intents).to.equal(free.intents);
    expect(blind.counts().failed).to.equal(blind.intents);
  });
});

describe("The bots of the last two lines", () => {
  const inState = (riskState: RiskState, changes = {}) =>
    agentView({ solvency: { ...SOLVENCY, riskState }, ...changes });

  it("deleverage in that state only, at a good price", () => {
    const bot = new Deleverager();
    expect(bot.act(inState("Deleveraging"))).to.deep.equal([{ kind: "autoDeleverage" }]);
    expect(bot.act(inState("ReduceOnly"))).to.deep.equal([]);
    expect(bot.act(inState("Deleveraging", { priceGood: false }))).to.deep.equal([]);
  });

  it("report a dead feed, settle when the time is over, and start over when it comes back", () => {
    const bot = new Settler();
    const bad = (seconds: number) => inState("Normal", { priceGood: false, at: START + seconds });
    expect(bot.act(inState("Normal"))).to.deep.equal([]);
    expect(bot.act(bad(0))).to.deep.equal([{ kind: "settle" }]);
    bot.observe([happened({ kind: "DeadFeedReported", deadAt: START + 86_400 })]);
    expect(bot.act(bad(86_399))).to.deep.equal([]);
    expect(bot.act(bad(86_400))).to.deep.equal([{ kind: "settle" }]);
    expect(bot.act(inState("Normal"))).to.deep.equal([]);
    expect(bot.act(bad(40_000)), "a new report").to.deep.equal([{ kind: "settle" }]);
  });

  it("close every account of a settled pool, and finalize once", async () => {
    const backend = stubBackend({
      account: async () => ({ size: 1n, entryNotional: 1n, collateral: 1n }),
    });
    const accounts = new Accounts(backend);
    await accounts.observe([requested(3), requested(8)], START);
    const bot = new Settler();
    expect(bot.act(inState("Settled", { accounts }))).to.deep.equal([
      { kind: "settleAccount", trader: 3 },
      { kind: "settleAccount", trader: 8 },
      { kind: "finalizeSettlement" },
    ]);
    const totals = { claimsTotal: 0n, valueTotal: 0n, basePot: 0n, quotePot: 0n };
    bot.observe([happened({ kind: "SettlementFinalized", ...totals })]);
    expect(bot.act(inState("Settled", { accounts }))).to.deep.equal([]);
  });
});
