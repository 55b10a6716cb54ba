import assert from "node:assert/strict";
import { deploymentSchedule, deploymentSteps } from "../../../src/deploymentSchedule.ts";
import { DEFAULT_SETTINGS, type DeploymentSettings } from "../../../src/deploymentSettings.ts";
import { remember, rememberLast, rememberLastPair } from "../../../src/math/memo.ts";
import { Revert } from "../../../src/math/revert.ts";
import type { Action, Address } from "../../../src/model/calls.ts";
import * as pool from "../../../src/model/constantProductPool.ts";
import { feedEntryPoints } from "../../../src/model/feed.ts";
import { genesis, SYMBOLIC_ADDRESSES } from "../../../src/model/genesis.ts";
import * as marginPool from "../../../src/model/marginPool.ts";
import * as factory from "../../../src/model/poolFactory.ts";
import * as rebalancer from "../../../src/model/rebalancer.ts";
import type { FeedState, ProtocolState } from "../../../src/model/state.ts";
import { apply, type Outcome, step } from "../../../src/model/step.ts";
import { allowanceKey, tokenEntryPoints } from "../../../src/model/token.ts";
import * as views from "../../../src/model/views.ts";
import * as volatilityOracle from "../../../src/model/volatilityOracle.ts";
import { World } from "../../../src/model/world.ts";
import { createRandom, type Random } from "../../../src/simulation/random.ts";
import { BIOGRAPHIES } from "../../support/twin/biographies.ts";
import type { Outcome as ChainOutcome } from "../../support/twin/chain.ts";
import { differenceOf, told } from "../../support/twin/compare.ts";
import { FIRST_ROUND, PEOPLE, START } from "../../support/twin/deployment.ts";
import { life } from "../../support/twin/life.ts";
import { Scene } from "../../support/twin/scene.ts";
import { EMPTY_WORLDS, WORLDS } from "../../support/twin/worlds.ts";

// A world keeps what it derived for the next action. Nothing that it answers may depend on that: a world that was just made, and
// has nothing to remember, must answer the same.

const DEEP = process.env.BALLAST_DEEP === "1";
const ACTIONS = DEEP ? 20_000 : 4_000;
const LIFETIME = 300;
const WALLET = 10n ** 27n;
const ALL = 2n ** 256n - 1n;

const PERSONS: readonly string[] = Object.values(PEOPLE).flat();
const NAMES = new Map(
  [...PERSONS, ...Object.keys(SYMBOLIC_ADDRESSES), "sequencerFeed", "zero"].map(
    (name): [string, Address] => [name, name],
  ),
);
const CAST = { names: NAMES, senders: [...PERSONS, "deployer", "timelock", "rebalancer"] };

/** Functions by contract and name, those of the pool's own token aside. */
const FUNCTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  feed: feedEntryPoints("feed"),
  sequencerFeed: feedEntryPoints("sequencerFeed"),
  base: tokenEntryPoints("base"),
  quote: tokenEntryPoints("quote"),
  factory: { ...factory },
  pool: { ...pool },
  volatilityOracle: { ...volatilityOracle },
  marginPool: { ...marginPool },
  rebalancer: { ...rebalancer },
};

/** Where time mostly stands still, so that what was derived would often still do. */
class SlowScene extends Scene {
  override wait(seconds: number | bigint): void {
    if (this.chance(0.3)) super.wait(seconds);
  }
}

/** A deployment after which everybody has tokens and the allowances that trading takes. */
function beginning(overrides: Partial<DeploymentSettings>, hasSequencer: boolean): ProtocolState {
  const settings = {
    ...DEFAULT_SETTINGS,
    ...overrides,
    ...(hasSequencer ? { sequencerFeed: "sequencerFeed" } : {}),
  };
  const firstAt = START - 1n - BigInt(deploymentSteps(settings).length);
  const upAt = START - 10_000n;
  const up = { answer: 0n, startedAt: upAt, updatedAt: upAt, answeredInRound: FIRST_ROUND };
  const uptime: FeedState = { latestRoundId: FIRST_ROUND, rounds: new Map([[FIRST_ROUND, up]]) };
  const world = new World(
    genesis(settings, deploymentSchedule(firstAt, settings), SYMBOLIC_ADDRESSES, uptime),
  );
  for (const person of PERSONS) {
    for (const token of [world.base, world.quote]) {
      token.balances.set(person, WALLET);
      token.totalSupply += WALLET;
      for (const spender of ["pool", "marginPool"]) {
        token.allowances.set(allowanceKey(person, spender), ALL);
      }
    }
  }
  return world.state();
}

/** The latest round again under the same id, with another price or another time. */
function rewritten(scene: Scene): Action {
  const { latestRoundId: roundId, rounds } = scene.state.feed;
  const round = rounds.get(roundId)!;
  const answer = (round.answer * BigInt(scene.pick([600, 998, 999, 1_000, 1_001, 1_700]))) / 1_000n;
  const updatedAt = scene.chance(0.5) ? round.updatedAt : scene.at;
  const { startedAt, answeredInRound } = round;
  const args = { roundId, answer, startedAt, updatedAt, answeredInRound };
  return scene.call("kate", "feed", "setRound", args);
}

/** The sequencer is down, or has been up for long, from one call to the next. */
function flipped(scene: Scene): Action {
  const roundId = scene.state.sequencerFeed.latestRoundId + 1n;
  const answer = scene.pick([0n, 0n, 1n]);
  const args = { roundId, answer, startedAt: scene.at - 10_000n, updatedAt: scene.at };
  return scene.call("kate", "sequencerFeed", "setRound", { ...args, answeredInRound: roundId });
}

/** What only the rebalancer may say, in the middle of a block: another band, depth or cost. */
function measured(scene: Scene): Action {
  const { outerBandWad, depthBaseWad, unwindCostPpm } = scene.state.hot;
  const near = (value: bigint) => (value * BigInt(scene.pick([500, 999, 1_000, 1_400]))) / 1_000n;
  return scene.margin("rebalancer", "cacheBand", {
    outerBandWad: near(outerBandWad),
    depthBaseWad: near(depthBaseWad),
    unwindCostPpm: near(unwindCostPpm),
  });
}

type Run = (world: World, from: Address, args: unknown) => unknown;

/** What a call does, done and undone. */
function attempted(world: World, { at, from, to, method, args }: Action): void {
  const run = FUNCTIONS[to]?.[method] as Run | undefined;
  if (run === undefined) return;
  const undone = new Error("undone");
  try {
    world.transaction(at, () => {
      run(world, from, args);
      throw undone;
    });
  } catch (thrown) {
    if (thrown !== undone && !(thrown instanceof Revert)) throw thrown;
  }
}

/** What everybody may ask at a time: results, and errors as their names. */
function answers(world: World, at: bigint): unknown[] {
  const asked = [
    views.market,
    views.poolState,
    views.snapshot,
    views.previewRebalance,
    views.totalAssets,
    (w: World) => views.position(w, "alice"),
    (w: World) => views.previewOrder(w, "bob"),
    (w: World) => views.maxWithdraw(w, "lena"),
  ];
  return asked.map((view) => {
    try {
      return views.viewAt<unknown>(world, at, view);
    } catch (thrown) {
      if (thrown instanceof Revert) return thrown.message;
      throw thrown;
    }
  });
}

function* disturbed(scene: Scene, biography: string): Generator<Action, void, void> {
  for (const action of life(scene, BIOGRAPHIES[biography]?.play)) {
    yield action;
    if (scene.chance(0.05)) yield rewritten(scene);
    if (scene.chance(0.05)) yield measured(scene);
    if (scene.state.config.hasSequencer && scene.chance(0.1)) yield flipped(scene);
  }
}

/** One life in a world that remembers, every action also in one that was just made. */
function live(state: ProtocolState, scene: Scene, dice: Random, biography: string): number {
  const kept = new World(state);
  let before = state;
  let count = 0;
  for (const action of disturbed(scene, biography)) {
    const where = `action ${count}: ${told(action, NAMES)}`;
    const same = (a: unknown, b: unknown, what: string): void => {
      const difference = differenceOf(a, b, what, NAMES);
      assert.equal(difference && told(difference, NAMES), undefined, where);
    };
    if (dice.uniform() < 0.3) attempted(kept, action);
    if (dice.uniform() < 0.3) {
      const at = action.at + BigInt(dice.integer(2) * dice.integer(4_000));
      same(answers(new World(before), at), answers(kept, at), `views at ${at}`);
    }
    const [after, outcome]: readonly [ProtocolState, Outcome] = step(before, action);
    same(outcome, apply(kept, action), "outcome");
    same(after, kept.state(), "state");
    before = after;
    scene.see(after, { action, outcome: outcome as ChainOutcome });
    count += 1;
    if (count >= LIFETIME || after.cold.settlement.finalizedAt !== 0n) return count;
  }
  return count;
}

describe("What the model remembers", () => {
  const worlds = [...WORLDS, ...EMPTY_WORLDS];

  it("changes no outcome, no state and no view", function () {
    this.timeout(600_000);
    let total = 0;
    for (let seed = 1; total < ACTIONS; seed += 1) {
      const settings = worlds[seed % worlds.length]!;
      const names = Object.entries(BIOGRAPHIES).filter(
        ([, { alone }]) => alone === EMPTY_WORLDS.includes(settings),
      );
      const name = seed % 2 === 0 ? "" : names[seed % names.length]![0];
      const state = beginning(settings.overrides, settings.hasSequencer);
      const scene = new SlowScene(createRandom(seed, "memory"), CAST, state);
      total += live(state, scene, createRandom(seed, "dice"), name);
    }
  });

  const refusing = (x: bigint): bigint => (x % 3n === 0n ? assert.fail("refused") : x * x);
  const outcomeOf = (run: () => bigint): bigint | string => {
    try {
      return run();
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  const ARGUMENTS = [1n, 1n, 2n, 3n, 3n, 2n, 1_025n, 1n, 2_049n, -1n, 2n ** 200n, 1n, 3n, 1_025n];

  it("is what a function of one argument gives, whether it answered or refused before", () => {
    const known = rememberLast(refusing);
    for (const x of ARGUMENTS)
      assert.equal(
        outcomeOf(() => known(x)),
        outcomeOf(() => refusing(x)),
      );
  });

  for (const memory of [remember, rememberLastPair<bigint>]) {
    it(`is what a function of two arguments gives: ${memory.name || "the last pair"}`, () => {
      const pair = (x: bigint, y: bigint): bigint => refusing(x) - 7n * refusing(y);
      const known = memory(pair);
      for (const x of ARGUMENTS) {
        for (const y of ARGUMENTS) {
          for (const [a, b] of [
            [x, y],
            [y, x],
            [x, x],
          ] as const) {
            assert.equal(
              outcomeOf(() => known(a, b)),
              outcomeOf(() => pair(a, b)),
            );
          }
        }
      }
    });
  }
});
