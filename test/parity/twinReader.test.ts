import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "chai";
import type { Result } from "ethers";
import type { Action } from "../../src/model/calls.ts";
import type { ProtocolState } from "../../src/model/state.ts";
import { step } from "../../src/model/step.ts";
import { createRandom } from "../../src/simulation/random.ts";
import { BIOGRAPHIES } from "../support/twin/biographies.ts";
import { ChainTwin } from "../support/twin/chain.ts";
import { compareOutcomes, compareStates } from "../support/twin/compare.ts";
import { deployTwin } from "../support/twin/deployment.ts";
import { SLOTS, STATE } from "../support/twin/layout.ts";
import { life } from "../support/twin/life.ts";
import { Pair, theModel } from "../support/twin/pair.ts";
import { Scene } from "../support/twin/scene.ts";
import { EMPTY_WORLDS, WORLDS } from "../support/twin/worlds.ts";

/** Transactions of each function that are traced: traces are long. */
const TRACES = process.env.BALLAST_DEEP === "1" ? 1_000 : 3;
const ROOT = new URL("../../", import.meta.url);

interface Layout {
  readonly storage: readonly {
    readonly label: string;
    readonly slot: string;
    readonly type: string;
  }[];
  readonly types: Readonly<
    Record<
      string,
      { readonly members?: readonly { readonly label: string; readonly slot: string }[] }
    >
  >;
}

/** The compiler's storage layout of contracts, which needs no code to be generated. */
function layouts(files: Readonly<Record<string, string>>): Map<string, Layout> {
  const solc = createRequire(import.meta.url)("solc") as {
    compile(input: string, callbacks: { import(path: string): object }): string;
  };
  const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");
  const answer = solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: Object.fromEntries(
        Object.values(files).map((path) => [path, { content: read(path) }]),
      ),
      settings: {
        evmVersion: "cancun",
        outputSelection: Object.fromEntries(
          Object.entries(files).map(([name, path]) => [path, { [name]: ["storageLayout"] }]),
        ),
      },
    }),
    {
      import: (path) => {
        const found = [path, `node_modules/${path}`].find((one) => existsSync(new URL(one, ROOT)));
        return found === undefined ? { error: `no ${path}` } : { contents: read(found) };
      },
    },
  );
  const { contracts } = JSON.parse(answer) as {
    contracts: Record<string, Record<string, { storageLayout: Layout }>>;
  };
  return new Map(
    Object.entries(files).map(([name, path]) => [name, contracts[path]![name]!.storageLayout]),
  );
}

/** A struct of numbers that a view returned, by name. */
function numbersOf(struct: unknown): Record<string, bigint> {
  return (struct as Result).toObject() as Record<string, bigint>;
}

/** What a run of some actions goes through: the action, and the states before and after. */
async function* steps(
  chain: ChainTwin,
  most: number,
  biography?: string,
): AsyncGenerator<{ action: Action; before: ProtocolState; after: ProtocolState; pair: Pair }> {
  const pair = await Pair.begin(chain, theModel);
  const scene = new Scene(createRandom(11, "reader"), chain.deployment, pair.state);
  let count = 0;
  for (const action of life(
    scene,
    biography === undefined ? undefined : BIOGRAPHIES[biography]!.play,
  )) {
    const before = pair.state;
    const finding = await pair.check(action);
    expect(finding?.path).to.equal(undefined);
    yield { action, before, after: pair.state, pair };
    scene.see(pair.state, pair.outcome && { action, outcome: pair.outcome });
    count += 1;
    if (count >= most) return;
  }
}

describe("The state that is read from storage", () => {
  it("lies where the compiler puts it", () => {
    const found = layouts({
      MarginPool: "contracts/margin/MarginPool.sol",
      VolatilityOracle: "contracts/oracle/VolatilityOracle.sol",
      Rebalancer: "contracts/rebalance/Rebalancer.sol",
      ConstantProductPool: "contracts/pool/ConstantProductPool.sol",
      PoolFactory: "contracts/pool/PoolFactory.sol",
      MockERC20: "contracts/mocks/MockERC20.sol",
      MockPriceFeed: "contracts/mocks/MockPriceFeed.sol",
    });
    const slot = (contract: string, label: string): string => {
      const variable = found.get(contract)!.storage.find((one) => one.label === label);
      return variable?.slot ?? `${contract} has no ${label}`;
    };
    const expected: [actual: string, expected: bigint][] = [
      ...(["MockERC20", "MarginPool"] as const).flatMap((token): [string, bigint][] => [
        [slot(token, "_balances"), SLOTS.token.balances],
        [slot(token, "_allowances"), SLOTS.token.allowances],
        [slot(token, "_totalSupply"), SLOTS.token.totalSupply],
      ]),
      [slot("MockPriceFeed", "latestRoundId"), SLOTS.feed.latestRoundId],
      [slot("MockPriceFeed", "_rounds"), SLOTS.feed.rounds],
      [slot("PoolFactory", "feeTo"), SLOTS.factory.feeTo],
      [slot("PoolFactory", "feeToSetter"), SLOTS.factory.feeToSetter],
      [slot("ConstantProductPool", "_reserves"), SLOTS.pool.reserves],
      [slot("ConstantProductPool", "_history"), SLOTS.pool.history],
      [slot("ConstantProductPool", "kLast"), SLOTS.pool.kLast],
      [slot("VolatilityOracle", "_head"), SLOTS.volatilityOracle.head],
      [slot("VolatilityOracle", "_tail"), SLOTS.volatilityOracle.tail],
      [slot("VolatilityOracle", "_average"), SLOTS.volatilityOracle.average],
      [slot("VolatilityOracle", "_newer"), SLOTS.volatilityOracle.newer],
      [slot("Rebalancer", "_lastTargetWad"), SLOTS.rebalancer.target],
      [slot("Rebalancer", "_targetVarianceWad"), SLOTS.rebalancer.variance],
      [slot("Rebalancer", "_lastDepthWad"), SLOTS.rebalancer.depth],
      [slot("MarginPool", "_state"), SLOTS.marginPool.state],
      [slot("MarginPool", "_owner"), SLOTS.marginPool.owner],
      [slot("MarginPool", "_pendingOwner"), SLOTS.marginPool.pendingOwner],
      [slot("MarginPool", "_guardian"), SLOTS.marginPool.guardian],
    ];
    const { storage, types } = found.get("MarginPool")!;
    const { members } = types[storage.find(({ label }) => label === "_state")!.type]!;
    for (const [label, place] of Object.entries(STATE)) {
      const member = label === "scalars" ? "positions" : label;
      expected.push([members!.find((one) => one.label === member)!.slot, place]);
    }
    for (const [actual, place] of expected) expect(actual).to.equal(String(place));
  });

  it("is what the contracts' own views say", async () => {
    const { deployment, ...rest } = await started(WORLDS[3]!);
    const { protocol, names } = deployment;
    const { marginPool, volatilityOracle, pool, rebalancer } = protocol;
    let checked = 0;
    for await (const { after } of steps(rest.chain, 120, "deadFeed")) {
      checked += 1;
      if (checked % 30 !== 0) continue;
      const { hot, cold, oracle } = after;
      const ledgers = numbersOf(await marginPool.ledgers());
      for (const [name, value] of Object.entries(hot.ledgers)) {
        expect(String(ledgers[name] ?? 0n), name).to.equal(String(value));
      }
      const [fast, slow, price, at, round] = await volatilityOracle.samples();
      expect([fast, slow, price, at, round].map(String)).to.deep.equal(
        [
          oracle.fastVarianceWad,
          oracle.slowVarianceWad,
          oracle.samplePriceWad,
          oracle.sampledAt,
          oracle.roundId,
        ].map(String),
      );
      const [reserve0, reserve1] = await pool.getReserves();
      expect(`${reserve0} ${reserve1}`).to.equal(`${after.pool.reserve0} ${after.pool.reserve1}`);
      expect(String(await marginPool.badDebt())).to.equal(String(cold.badDebt));
      const settlement = numbersOf(await marginPool.settlement());
      for (const [name, value] of Object.entries(settlement)) {
        const stored = (cold.settlement as unknown as Record<string, bigint>)[name];
        expect(String(stored), name).to.equal(String(value));
      }
      const [variance] = await rebalancer.bandState();
      expect(String(variance)).to.equal(String(after.rebalancer.targetVarianceWad));
      for (const who of names.values()) {
        const account = await marginPool.marginAccount(who);
        const position = after.positions.get(who);
        expect(`${account.size} ${account.collateral} ${account.unpaidClaim}`).to.equal(
          `${position?.size ?? 0n} ${position?.collateral ?? 0n} ${after.claims.get(who) ?? 0n}`,
        );
        expect(String(await pool.balanceOf(who))).to.equal(
          String(after.liquidityToken.balances.get(who) ?? 0n),
        );
        expect(String(await marginPool.balanceOf(who))).to.equal(
          String(after.shares.balances.get(who) ?? 0n),
        );
        expect(String(await marginPool.creditedOf(who))).to.equal(
          String(after.credits.get(who) ?? 0n),
        );
        expect(String((await marginPool.order(who)).sizeDelta)).to.equal(
          String(after.orders.get(who)?.sizeDelta ?? 0n),
        );
      }
    }
    expect(checked).to.be.greaterThan(60);
  });

  it("leaves no word out that a transaction writes", async () => {
    const { chain } = await started(EMPTY_WORLDS[0]!);
    let written = 0;
    const traced = new Map<string, number>();
    for await (const { action, pair } of steps(chain, 240, "crowdedLongs")) {
      const seen = traced.get(action.method) ?? 0;
      if (pair.outcome?.ok !== true || seen >= TRACES) continue;
      traced.set(action.method, seen + 1);
      for (const { address, slot } of await chain.lastWrites()) {
        written += 1;
        expect(
          chain.hasRead(address, slot),
          `slot ${slot.toString(16)} of ${address}, written by ${action.method}`,
        ).to.equal(true);
      }
    }
    expect(written).to.be.greaterThan(100);
  });

  it("stays as it was when the model steps from it", async () => {
    const { chain, names } = await started(WORLDS[2]!);
    for await (const { action, before, after, pair } of steps(chain, 120, "hedging")) {
      const copy = structuredClone(before);
      const [next, outcome] = step(before, action);
      expect(compareStates(copy, before, names)?.path).to.equal(undefined);
      expect(compareStates(after, next, names)?.path).to.equal(undefined);
      expect(compareOutcomes(pair.outcome!, outcome as never, names)?.path).to.equal(undefined);
    }
  });
});

async function started(settings: (typeof WORLDS)[number]) {
  const deployment = await deployTwin(settings);
  const chain = await ChainTwin.take(deployment);
  const names = new Map([...deployment.names].map(([name, address]) => [address, name]));
  return { deployment, chain, names };
}
