import { expect } from "chai";
import { Accounts } from "../../../src/simulation/agents/accounts.ts";
import { Liquidators } from "../../../src/simulation/agents/liquidator.ts";
import type { Action, ProtocolBackend, ProtocolEvent } from "../../../src/simulation/backend.ts";
import { createEvmBackend } from "../../../src/simulation/evmBackend.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import type { Wad } from "../../../src/units.ts";
import { agentView } from "../../support/agentView.ts";

const WAD = 10n ** 18n;
const START = 1_767_225_600;
const PRICE = 194_610000000000000000n as Wad;
const SIZE = 1_003_141592653589793238n;

describe("A liquidator of the simulation", () => {
  let backend: ProtocolBackend;
  let accounts: Accounts;
  let time = START;

  /** Mines actions ten seconds on, and looks at the accounts that changed. */
  async function mine(...actions: Action[]): Promise<ProtocolEvent[]> {
    time += 10;
    const results = await backend.mine(time, actions);
    for (const { ok, error, action } of results)
      expect(ok, `${action.kind}: ${error}`).to.equal(true);
    await accounts.observe(results, time);
    return results.flatMap(({ events }) => events);
  }

  before(async () => {
    backend = await createEvmBackend({ startsAt: START, initialPrice: PRICE, traderCount: 1 });
    accounts = new Accounts(backend);
    const expiresAt = time + 600;
    await mine(
      { kind: "depositMargin", trader: 0, amount: 13_003_000000n },
      {
        kind: "requestOrder",
        trader: 0,
        sizeDelta: SIZE,
        acceptablePrice: 2n * PRICE,
        expiresAt,
      },
    );
    await mine({ kind: "publishPrice", price: PRICE }, { kind: "executeOrder", trader: 0 });
    expect((await backend.account(0)).size).to.equal(SIZE);
  });

  after(() => backend.close());

  it("closes part of an account, and comes back for it when the price goes on", async () => {
    const liquidators = new Liquidators(createRandom(1, "liquidators"));
    const due = async (price: Wad) =>
      liquidators.act(
        agentView({ backend, accounts, price, at: time, solvency: await backend.solvency() }),
      );
    expect(await due(PRICE)).to.deep.equal([]);
    const sizes = [SIZE];
    let price = PRICE;
    for (let step = 0; step < 60 && sizes.at(-1) !== 0n; step += 1) {
      price = ((price * 993n) / 1_000n) as Wad;
      await mine({ kind: "publishPrice", price }, { kind: "poke" });
      const actions = await due(price);
      if (actions.length === 0) continue;
      const events = await mine(...actions);
      const { size } = await backend.account(0);
      expect(events).to.have.length(1);
      expect(events[0]).to.include({
        kind: "Liquidated",
        trader: 0,
        liquidator: 0,
        badDebt: 0n,
        size,
      });
      expect(size < sizes.at(-1)!, `${size}`).to.equal(true);
      expect([...accounts.open()].map((account) => account.size)).to.deep.equal(
        size === 0n ? [] : [size],
      );
      expect(await due(price), "restored").to.deep.equal([]);
      sizes.push(size);
    }
    expect(sizes.at(-1)).to.equal(0n);
    expect(sizes.length, `${sizes.map((size) => size / WAD)}`).to.be.greaterThan(3);
    expect(await backend.badDebt()).to.equal(0n);
  });
});
