import { expect } from "chai";
import { BIOGRAPHIES } from "../support/twin/biographies.ts";
import { CALL_NAMES, INFALLIBLE } from "../support/twin/calls.ts";
import { play } from "../support/twin/campaign.ts";
import { ChainTwin } from "../support/twin/chain.ts";
import { Counts } from "../support/twin/counts.ts";
import { deployTwin, type TwinSettings } from "../support/twin/deployment.ts";
import { disagreement } from "../support/twin/report.ts";
import { EMPTY_WORLDS, WORLDS } from "../support/twin/worlds.ts";

const DEEP = process.env.BALLAST_DEEP === "1";
/** Campaigns with another first seed play other runs. */
const SEED = Number(process.env.BALLAST_SEED ?? "20261123");
const SEEDS = DEEP ? 2 : 1;
const LEAST_ACTIONS = DEEP ? 20_000 : 1_000;

/** Biographies that the quick pass plays in each deployment, and how many actions of chance alone. */
const QUICK: Readonly<Record<string, readonly [chance: number, ...biographies: string[]]>> = {
  "18-6-8": [100, "hedging"],
  "8-18-18, sequencer": [60, "deadFeed"],
  "18-18-8, volatile fee": [100, "orders"],
  "8-6-6": [60, "edges"],
  "6-8-18, wide band": [60, "governance"],
  "empty, 18-6-8": [0, "crowdedLongs"],
  "empty, 8-18-8": [0, "crowdedShorts"],
  "empty, 6-6-18": [0, "emptyPool", "recovery"],
};
const QUICK_MOST = 230;
const DEEP_MOST = 300;

/** What a quick pass must have made succeed at least once. */
const MAIN = [
  ...["deposit", "depositMargin", "withdrawMargin", "requestOrder", "executeOrder", "liquidate"],
  ...["autoDeleverage", "settle", "settleAccount", "finalizeSettlement", "redeemInKind", "claim"],
  ...["sync", "bootstrap", "setParameters"],
].map((method) => `marginPool.${method}`);

const counts = new Counts();

/** Runs of one deployment: name of a biography or none, and actions at most. */
function runsOf(settings: TwinSettings, isEmpty: boolean): [biography: string, most: number][] {
  if (!DEEP) {
    const [chance, ...names] = QUICK[settings.name]!;
    return [
      ...names.map((name): [string, number] => [name, QUICK_MOST]),
      ...(chance > 0 ? ([["", chance]] as [string, number][]) : []),
    ];
  }
  const names = Object.entries(BIOGRAPHIES).filter(([, { alone }]) => alone === isEmpty);
  return Array.from({ length: SEEDS }, () => ["", ...names.map(([name]) => name)])
    .flat()
    .map((name) => [name, DEEP_MOST]);
}

describe("Contracts and model", () => {
  for (const [world, settings] of [...WORLDS, ...EMPTY_WORLDS].entries()) {
    it(`agree on every event, error, return value and stored number: ${settings.name}`, async () => {
      const chain = await ChainTwin.take(await deployTwin(settings));
      for (const [i, [name, most]] of runsOf(settings, EMPTY_WORLDS.includes(settings)).entries()) {
        const seed = SEED + 1_009 * world + i;
        const biography = BIOGRAPHIES[name]?.play;
        const run = { seed, most, ...(biography === undefined ? {} : { biography }) };
        const { actions, finding } = await play(chain, run, counts);
        if (finding !== undefined) {
          throw await disagreement(chain, `${seed} ${name}`, finding, actions);
        }
      }
    });
  }

  it("have been through everything that the pass is meant to reach", () => {
    if (DEEP) console.log(counts.report(CALL_NAMES));
    expect(counts.total).to.be.greaterThan(LEAST_ACTIONS);
    const never = (map: ReadonlyMap<string, number>, names: readonly string[]) =>
      names.filter((name) => !map.has(name)).join(", ");
    expect(never(counts.succeeded, DEEP ? CALL_NAMES : MAIN), "never succeeded").to.equal("");
    if (!DEEP) return;
    const fallible = CALL_NAMES.filter((name) => !INFALLIBLE.includes(name));
    expect(never(counts.failed, fallible), "never failed").to.equal("");
  });
});
