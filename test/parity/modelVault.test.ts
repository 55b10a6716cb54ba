import assert from "node:assert/strict";
import type { Calls } from "../../src/model/calls.ts";
import { apply } from "../../src/model/step.ts";
import { World } from "../../src/model/world.ts";
import { BIOGRAPHIES } from "../support/twin/biographies.ts";
import { ChainTwin, type Outcome } from "../support/twin/chain.ts";
import { Counts } from "../support/twin/counts.ts";
import { deployTwin, type TwinSettings } from "../support/twin/deployment.ts";
import type { ModelFactory } from "../support/twin/pair.ts";
import { playWithViews, type Seen } from "../support/twin/playWithViews.ts";
import { WAD } from "../support/twin/scene.ts";
import { edges, rightsOfLps, rightsOfOwners, vaultLife } from "../support/twin/vault.ts";
import { VIEWS } from "../support/twin/views.ts";
import { EMPTY_WORLDS, WORLDS } from "../support/twin/worlds.ts";

const deep = process.env.BALLAST_DEEP === "1";
const SEEDS = deep ? [11, 12, 13, 14, 15] : [1];
const ACTIONS = deep ? 500 : 90;
/** Long enough for every script to come to its end. */
const LIFETIME = 500;
const LOOK_EVERY = deep ? 25 : 18;

/** Tokens without decimals, and nothing but quote wanted: no fee stands between an amount and the ledgers. */
const WHOLE_TOKENS: TwinSettings = {
  name: "0-0-18, no base",
  overrides: {
    initialPrice: 3n * WAD,
    baseDecimals: 0,
    quoteDecimals: 0,
    feedDecimals: 18,
    targetBaseWeight: 0n,
  },
  baseIsToken0: true,
  hasSequencer: false,
};

/** Calls that must have succeeded somewhere. Those of traders are tested elsewhere. */
const CALLS: readonly (keyof Calls["marginPool"])[] = [
  ...(["bootstrap", "deposit", "mint", "withdraw", "redeem"] as const),
  ...(["transfer", "approve", "transferFrom", "depositMargin", "withdrawMargin", "claim"] as const),
  ...(["skim", "sync", "autoDeleverage", "settle", "settleAccount"] as const),
  ...(["finalizeSettlement", "redeemInKind", "tradeWithPool", "cacheBand"] as const),
  ...(["pauseNewRisk", "unpauseNewRisk", "setGuardian", "setParameters"] as const),
  ...(["transferOwnership", "acceptOwnership", "renounceOwnership"] as const),
];

describe("the margin pool's shares, roles, rebalances and end, beside the contracts", () => {
  const seen: Seen = { counts: new Counts(), answered: new Set() };

  for (const settings of [...WORLDS, ...EMPTY_WORLDS, WHOLE_TOKENS]) {
    it(`does the business of LPs as they do: ${settings.name}`, async function () {
      this.timeout(600_000);
      const twin = await ChainTwin.take(await deployTwin(settings));
      for (const seed of SEEDS) {
        const play = { script: vaultLife, seed, most: ACTIONS, lookEvery: LOOK_EVERY };
        await playWithViews(twin, play, seen);
      }
    });
  }

  for (const [i, script] of [rightsOfLps, rightsOfOwners].entries()) {
    it(`knows the ${["rights of LPs", "rights of owner and guardian"][i]} as they do`, async () => {
      const twin = await ChainTwin.take(await deployTwin(WORLDS[i] as TwinSettings));
      await playWithViews(twin, { script, seed: 1, most: LIFETIME, lookEvery: 9 }, seen);
    });
  }

  for (const settings of [WORLDS[0] as TwinSettings, WORLDS[1] as TwinSettings, WHOLE_TOKENS]) {
    it(`meets amounts at the edges of their types as they do: ${settings.name}`, async function () {
      this.timeout(600_000);
      const twin = await ChainTwin.take(await deployTwin(settings));
      await playWithViews(twin, { script: edges, seed: 1, most: LIFETIME, lookEvery: 60 }, seen);
    });
  }

  for (const [i, name] of (
    ["crowdedLongs", "crowdedShorts", "unpaidClaims", "overdue", "deadFeed", "hedging"] as const
  ).entries()) {
    it(`lives through ${name} as they do`, async function () {
      this.timeout(600_000);
      const biography = BIOGRAPHIES[name];
      assert.ok(biography);
      const worlds = biography.alone ? EMPTY_WORLDS : WORLDS;
      const twin = await ChainTwin.take(
        await deployTwin(worlds[i % worlds.length] as TwinSettings),
      );
      for (const seed of SEEDS) {
        const script = biography.play;
        await playWithViews(twin, { script, seed, most: LIFETIME, lookEvery: LOOK_EVERY }, seen);
      }
    });
  }

  it("has seen every call succeed and every view answer", () => {
    if (deep) console.log(seen.counts.report(CALLS.map((name) => `marginPool.${name}`)));
    for (const name of CALLS) {
      assert.ok(seen.counts.succeeded.has(`marginPool.${name}`), `${name} never succeeded`);
    }
    for (const { contract, method } of VIEWS) {
      assert.ok(seen.answered.has(`${contract}.${method}`), `${method} never answered`);
    }
  });

  it("would notice a model that forgets a unit of a withdrawal's fee", async () => {
    const forgetful: ModelFactory = (state) => {
      const world = new World(state);
      return {
        apply: (action) => {
          const outcome = apply(world, action) as Outcome;
          if (outcome.ok && action.method === "withdraw") {
            const { ledgers } = world.hot;
            const pendingIncome = ledgers.pendingIncome - 1n;
            world.hot = { ...world.hot, ledgers: { ...ledgers, pendingIncome } };
          }
          return outcome;
        },
        state: () => world.state(),
      };
    };
    const twin = await ChainTwin.take(await deployTwin(WORLDS[0] as TwinSettings));
    const play = { script: rightsOfLps, seed: 1, most: LIFETIME, lookEvery: 9, model: forgetful };
    await assert.rejects(playWithViews(twin, play, seen), /state\.hot\.ledgers\.pendingIncome/);
  });
});
