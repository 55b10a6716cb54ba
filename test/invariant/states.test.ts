import { expect } from "chai";
import { network } from "hardhat";
import {
  currentPrice,
  deployFixture,
  depositMargin,
  type ProtocolFixture,
  publishPrice,
  WAD,
} from "../support/protocolFixture.ts";
import { CAMPAIGN_SCALE, order, seededRandom, send } from "../support/traderFixture.ts";
import { STATES } from "./picture.ts";

const connection = await network.create();
const { loadFixture, takeSnapshot, time } = connection.networkHelpers;

/** Unhedged longs of 40 % of equity against quote alone: every price has its solvency ratio. */
async function exposed(): Promise<ProtocolFixture> {
  const f = await deployFixture(connection, {
    targetBaseWeight: 0n,
    lpEquity: 1_003_741n * WAD,
    poolQuoteDepth: 0n,
  });
  for (const trader of [f.alice, f.bob]) await depositMargin(f, trader, 2_000_007n * WAD);
  for (let turn = 0; turn < 4; turn += 1) {
    await order(f, turn % 2 === 0 ? f.alice : f.bob, 450n * WAD);
    await time.increase(610);
    // Guarded by its exposure the pool lets openings go on
    if (turn === 1) await publishPrice(f, ((await currentPrice(f)) * 112n) / 100n);
    else await publishPrice(f, await currentPrice(f));
    await f.volatilityOracle.poke();
    await f.marginPool.sync();
  }
  return f;
}

interface Observation {
  readonly at: bigint;
  readonly publishedAt: bigint;
  readonly ratio: bigint;
  readonly bankrupt: boolean;
  /** |D| P shock over E, 1e18. */
  readonly shocked: bigint;
}

/** The specification's states again, as a machine fed with one observation per sync. */
class Machine {
  ratioState = 0;
  exposed = false;
  since: bigint;
  overdue = false;
  lowSince: bigint | undefined;
  bankruptAt: bigint | undefined;
  bankruptRounds = 0;
  /** Since when every sync has allowed something better, and the worst of what they allowed. */
  better: { since: bigint; state: number } | undefined;

  constructor(at: bigint) {
    this.since = at;
  }

  private enter(state: number, at: bigint, overdue = false): void {
    [this.ratioState, this.since, this.overdue, this.better] = [state, at, overdue, undefined];
  }

  see(o: Observation): number {
    const allowed = (extra: bigint) =>
      o.ratio >= 1_500n * 10n ** 15n + extra ? 0 : o.ratio >= 1_250n * 10n ** 15n + extra ? 1 : 2;
    if (allowed(0n) > this.ratioState) {
      this.enter(allowed(0n), o.at);
    } else {
      if (this.ratioState === 2 && o.at >= this.since + 86_400n) this.enter(3, o.at, true);
      if (this.ratioState === 3) {
        const goal = (this.overdue ? 1_250n : 1_050n) * 10n ** 15n;
        if (o.ratio >= goal) this.enter(this.overdue ? 1 : 2, o.at);
      } else if (this.ratioState < 3) {
        const reached = allowed(10n ** 17n);
        if (reached >= this.ratioState) this.better = undefined;
        else if (this.better === undefined) this.better = { since: o.at, state: reached };
        else {
          this.better.state = Math.max(this.better.state, reached);
          if (o.at >= this.better.since + 1_800n) this.enter(this.better.state, o.at);
        }
      }
    }
    this.seeRounds(o);
    const limit = (this.exposed ? 4n : 5n) * 10n ** 16n;
    this.exposed = o.shocked > limit;
    return this.exposed && this.ratioState === 0 ? 1 : this.ratioState;
  }

  private seeRounds(o: Observation): void {
    if (o.ratio >= WAD) {
      [this.lowSince, this.bankruptRounds] = [undefined, 0];
      return;
    }
    this.lowSince ??= o.publishedAt;
    if (o.publishedAt >= this.lowSince + 600n && this.ratioState < 3) this.enter(3, o.at);
    if (!o.bankrupt) this.bankruptRounds = 0;
    else if (this.bankruptRounds === 0 || o.publishedAt >= this.bankruptAt! + 600n) {
      [this.bankruptAt, this.bankruptRounds] = [o.publishedAt, this.bankruptRounds + 1];
      if (this.bankruptRounds === 3) this.enter(4, o.at);
    }
  }
}

/** What the next sync sees, at the time it has. */
async function observe(f: ProtocolFixture): Promise<Observation> {
  const s = await f.marginPool.snapshot();
  const [, , , publishedAt] = await f.feed.latestRoundData();
  // the shock at the volatility's floor and ceiling alike: max(2.82 sigma sqrt(1 day), 20 %), sqrt(1/365) = 0.05234...
  const day = (s.volatilityWad * 52_342_392n) / 1_000_000_000n;
  const shock = (day * 282n) / 100n > WAD / 5n ? (day * 282n) / 100n : WAD / 5n;
  const distance = s.netExposureWad < 0n ? -s.netExposureWad : s.netExposureWad;
  const equity = s.equityWad > WAD ? s.equityWad : WAD;
  return {
    at: BigInt(await time.latest()),
    publishedAt,
    ratio: s.solvencyRatioWad,
    bankrupt: s.equityBidWad <= 0n,
    shocked: (((distance * s.indexPriceWad) / WAD) * shock) / equity,
  };
}

describe("I15: states move with hysteresis", () => {
  it("as an independent machine says that sees the same syncs, through all five", async () => {
    const f = await loadFixture(exposed);
    const random = seededRandom(15);
    const reached = new Map<string, number>();
    const moves = new Set<string>();
    const clean = await takeSnapshot();
    const start = await currentPrice(f);
    for (let walk = 0; walk < 10 * CAMPAIGN_SCALE; walk += 1) {
      await clean.restore();
      if (walk % 5 === 0) {
        // hedged, as far as a ratio's state may be Normal
        for (const who of [f.alice, f.bob]) {
          const { size } = await f.marginPool.marginAccount(who);
          await order(f, who, (-size * 97n) / 100n);
        }
        await f.marginPool.sync();
      }
      const [state, since] = await f.marginPool.riskClock();
      const machine = new Machine(since);
      expect(Number(state)).to.equal(0);
      machine.exposed = (await f.marginPool.snapshot()).riskState === 1n;
      let last = machine.exposed ? 1 : 0;
      // the price wanders where solvency ratios of 0 to 3 are
      let permille = 1_500 + random(1_700);
      const patience = walk % 3 === 2 ? 6_000 : 900;
      for (let n = 0; n < 45; n += 1) {
        const stride = walk % 4 === 3 ? 120 : 40 + random(160);
        if (last === 3 && walk % 2 === 1 && random(6) === 0) permille -= 500;
        permille = Math.max(
          900,
          Math.min(6_000, permille + random(2 * stride) - stride + (walk % 4 === 2 ? 60 : 12)),
        );
        await time.increase(1 + random(patience));
        if (random(4) > 0) await publishPrice(f, (start * BigInt(permille)) / 1_000n);
        else await publishPrice(f, await currentPrice(f));
        await f.volatilityOracle.poke();
        await send(f, f.keeper, f.marginPool, "sync", []);
        const seen = await observe(f);
        const expected = machine.see(seen);
        const { riskState } = await f.marginPool.snapshot();
        expect(
          STATES[Number(riskState)],
          `I15: states move with hysteresis: walk ${walk}, sync ${n}, from ${STATES[last]} at SR ${seen.ratio}`,
        ).to.equal(STATES[expected]!);
        reached.set(STATES[expected]!, (reached.get(STATES[expected]!) ?? 0) + 1);
        if (expected !== last) moves.add(`${STATES[last]} to ${STATES[expected]}`);
        last = expected;
        if (expected === 4) break;
      }
    }
    console.log(
      `      ${[...reached].map(([name, n]) => `${name} ${n}`).join(", ")}; ${[...moves].join(", ")}`,
    );
    expect(reached.size, [...reached.keys()].join()).to.equal(5);
    expect(moves.has("ReduceOnly to Deleveraging")).to.equal(true);
    expect(moves.has("Deleveraging to ReduceOnly")).to.equal(true);
  });
});
