import { expect } from "chai";
import {
  type Action,
  type Eventual,
  type ProtocolBackend,
  type ProtocolEvent,
  ViewRefused,
} from "../../../src/simulation/backend.ts";
import { BackendsDiffer, compareBackends } from "../../../src/simulation/comparedBackend.ts";
import { POOL, PRICE, SOLVENCY, stubBackend } from "../../support/agentView.ts";

const START = 1_583_971_200;
const SETUP = { startsAt: START, initialPrice: PRICE, traderCount: 1 };
const ACTIONS: Action[] = [
  { kind: "publishPrice", price: PRICE },
  { kind: "rebalance", keeper: 1 },
];
const REBALANCED = {
  kind: "Rebalanced",
  keeper: 1,
  baseDelta: -5n,
  quoteDelta: 973n,
  cost: 17n,
} as const;

const answering = (events: readonly ProtocolEvent[]): ProtocolBackend["mine"] => {
  return async (_, actions) => actions.map((action) => ({ action, ok: true, events }));
};

describe("Two backends compared", () => {
  const compare = (first: Partial<ProtocolBackend>, second: Partial<ProtocolBackend>) =>
    compareBackends(
      async () => stubBackend(first),
      async () => stubBackend(second),
      ["evm", "model"],
    )(SETUP);
  const messageOf = async (call: Eventual<unknown>): Promise<string> => {
    const thrown = await Promise.resolve(call).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).to.be.instanceOf(BackendsDiffer);
    return (thrown as Error).message;
  };

  it("hand on the answers of the first while they agree", async () => {
    const backend = await compare(
      { mine: answering([REBALANCED]) },
      { mine: answering([{ ...REBALANCED }]) },
    );
    const results = await backend.mine(START + 12, ACTIONS);
    expect(results.map(({ ok }) => ok)).to.deep.equal([true, true]);
    expect(results[1]!.events).to.deep.equal([REBALANCED]);
    expect(await backend.pool()).to.equal(POOL);
    expect(await backend.solvency()).to.equal(SOLVENCY);
  });

  it("name block, action and field where an event differs by one unit", async () => {
    const backend = await compare(
      { mine: answering([REBALANCED]) },
      { mine: answering([{ ...REBALANCED, cost: 18n }]) },
    );
    expect(await messageOf(backend.mine(START + 12, ACTIONS.slice(1)))).to.equal(
      "at 2020-03-12T00:00:12.000Z, action 0 rebalance(keeper 1), events[0].cost: evm 17, model 18",
    );
  });

  it("notice an event that only one has, and a refusal by another error", async () => {
    const extra = await compare({ mine: answering([REBALANCED]) }, { mine: answering([]) });
    expect(await messageOf(extra.mine(START + 12, ACTIONS))).to.contain(
      'publishPrice(price 194610000000000000000), events[0]: evm {"kind":"Rebalanced"',
    );
    const refusing = (error: string): Partial<ProtocolBackend> => ({
      mine: async (_, actions) =>
        actions.map((action) => ({ action, ok: false, error, events: [] })),
    });
    const refused = await compare(refusing("Rebalancer_NotDue"), refusing("MarginPool_Paused"));
    expect(await messageOf(refused.mine(START + 12, ACTIONS.slice(1)))).to.contain(
      ", error: evm Rebalancer_NotDue, model MarginPool_Paused",
    );
  });

  it("name view and field, at the time of the last block", async () => {
    const backend = await compare(
      { mine: answering([]) },
      {
        mine: answering([]),
        solvency: async () => ({ ...SOLVENCY, equityBid: SOLVENCY.equityBid - 1n }),
      },
    );
    await backend.mine(START + 300, ACTIONS);
    expect(await messageOf(backend.solvency())).to.equal(
      "at 2020-03-12T00:05:00.000Z, solvency, equityBid: evm 9997500000000, model 9997499999999",
    );
  });

  it("compare refusals of views by their error, and hand on one that both give", async () => {
    const refuse = (error: string) => async () => {
      throw new ViewRefused("position", error);
    };
    const alike = await compare({ position: refuse("A") }, { position: refuse("A") });
    const thrown = await Promise.resolve(alike.position(3)).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(ViewRefused);
    const unlike = await compare({ position: refuse("A") }, { position: refuse("B") });
    expect(await messageOf(unlike.position(3))).to.contain("position(3), refused: evm A, model B");
    const oneSided = await compare({ credit: async () => 1n }, { credit: refuse("A") });
    expect(await messageOf(oneSided.credit("keeper", 0))).to.contain(
      "credit(keeper 0), refused: evm undefined, model A",
    );
  });

  it("refuse to start with other decimals, and close both", async () => {
    let closed = 0;
    const close = async () => {
      closed++;
    };
    expect(await messageOf(compare({ close }, { quoteDecimals: 18, close }))).to.contain(
      "quoteDecimals: evm 6, model 18",
    );
    expect(closed, "after a start that failed").to.equal(2);
    const backend = await compare({ close }, { close });
    await backend.close();
    expect(closed).to.equal(4);
  });
});
