import { expect } from "chai";
import type { Result } from "ethers";
import { network } from "hardhat";
import type { MarginStorage } from "../../../typechain-types/contracts/mocks/MarginStorageHarness.ts";
import type { MarginStorageHarness } from "../../../typechain-types/index.ts";

const connection = await network.create();
const { loadFixture } = connection.networkHelpers;

const unsigned = (bits: bigint): [bigint, bigint] => [0n, 2n ** bits - 1n];
const signed = (bits: bigint): [bigint, bigint] => [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n];

/** Least and largest value of every stored field that an action works on, by its path in the context. */
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  // one bit less than their places, so that skews fit too
  "ledgers.inventoryBase": unsigned(111n),
  "ledgers.longOpenInterest": unsigned(111n),
  "ledgers.shortOpenInterest": unsigned(111n),
  "ledgers.inventoryQuote": unsigned(96n),
  "ledgers.longEntryNotional": unsigned(96n),
  "ledgers.shortEntryNotional": unsigned(96n),
  "ledgers.longCollateral": unsigned(96n),
  "ledgers.shortCollateral": unsigned(96n),
  "ledgers.longAccrual": signed(96n),
  "ledgers.shortAccrual": signed(96n),
  "ledgers.skewPremium": unsigned(96n),
  "ledgers.pendingIncome": unsigned(96n),
  "ledgers.insuranceFund": unsigned(96n),
  "ledgers.unpaidClaims": unsigned(96n),
  accountedQuote: unsigned(96n),
  pausedUntil: unsigned(32n),
  fundingIndexWad: signed(112n),
  fundingRateWad: signed(64n),
  lastSyncAt: unsigned(32n),
  longEpoch: unsigned(16n),
  shortEpoch: unsigned(16n),
  maintenanceSkewScaleWad: unsigned(128n),
  outsideSince: unsigned(32n),
  stateSince: unsigned(32n),
  recoverySince: unsigned(32n),
  ratioState: [0n, 4n],
  recoveryState: [0n, 4n],
  outsideLong: [0n, 1n],
  episodeOpen: [0n, 1n],
  exposureGuarded: [0n, 1n],
  distressed: [0n, 1n],
  overdue: [0n, 1n],
  skewReference: signed(112n),
  rebateableSkew: signed(112n),
  roundMark: unsigned(32n),
};
const NAMES = Object.keys(RANGES);
/** Read with the others, written on its own. */
const BAND: Readonly<Record<string, readonly [bigint, bigint]>> = {
  outerBandWad: unsigned(104n),
  depthBaseWad: unsigned(104n),
  unwindCostPpm: unsigned(24n),
  hedgeRatePpm: unsigned(24n),
};

type Values = Record<string, bigint>;
type Nested = { [key: string]: Nested | bigint | boolean | string };

async function harness(): Promise<MarginStorageHarness> {
  return connection.ethers.deployContract("MarginStorageHarness");
}

/** A context of the ABI's shape whose fields are zero but for the given ones. */
function context(h: MarginStorageHarness, values: Values): MarginStorage.ContextStruct {
  const [input] = h.interface.getFunction("store").inputs;
  const empty = (type: typeof input): Nested | bigint | boolean | string => {
    if (type!.baseType === "tuple") {
      return Object.fromEntries(type!.components!.map((part) => [part.name, empty(part)]));
    }
    if (type!.baseType === "bool") return false;
    return type!.baseType === "address" ? connection.ethers.ZeroAddress : 0n;
  };
  const whole = empty(input) as Nested;
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split(".");
    const last = keys.pop()!;
    const at = keys.reduce((part, key) => part[key] as Nested, whole);
    expect(last in at, path).to.equal(true);
    at[last] = typeof at[last] === "boolean" ? value !== 0n : value;
  }
  return whole as unknown as MarginStorage.ContextStruct;
}

/** What `load` finds, by path. */
async function loaded(h: MarginStorageHarness, names: readonly string[]): Promise<Values> {
  const ctx = ((await h.load()) as unknown as Result).toObject(true) as Nested;
  return Object.fromEntries(
    names.map((path) => {
      const value = path.split(".").reduce<Nested[string]>((at, key) => (at as Nested)[key]!, ctx);
      return [path, BigInt(value as bigint | boolean)];
    }),
  );
}

/** Something inside every range, different everywhere: neighbors that leak into each other show. */
function pattern(seed: bigint): Values {
  return Object.fromEntries(
    NAMES.map((name, i) => {
      const [least, most] = RANGES[name]!;
      const noise = (seed * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251n + 7n) ** 3n;
      return [name, least + (((noise >> BigInt(i)) * BigInt(2 * i + 3)) % (most - least + 1n))];
    }),
  );
}

describe("Storage of the margin pool", () => {
  it("keeps every field at its least and at its largest value, whatever its neighbors are", async () => {
    const h = await loadFixture(harness);
    const cases: Values[] = [0, 1].map((end) =>
      Object.fromEntries(NAMES.map((name) => [name, RANGES[name]![end as 0 | 1]])),
    );
    for (const [i, name] of NAMES.entries()) {
      for (const end of RANGES[name]!) cases.push({ ...pattern(BigInt(i) + 1n), [name]: end });
    }
    for (const values of cases) {
      await h.store(context(h, values));
      expect(await loaded(h, NAMES)).to.deep.equal(values);
    }
  });

  it("refuses ledgers and references one beyond their places, and writes nothing then", async () => {
    const h = await loadFixture(harness);
    const before = pattern(3n);
    await h.store(context(h, before));
    const checked = NAMES.filter(
      (name) =>
        name.startsWith("ledgers.") ||
        /^(accountedQuote|fundingIndexWad|skewReference|rebateableSkew)$/.test(name),
    );
    expect(checked.length).to.equal(18);
    for (const name of checked) {
      const [least, most] = RANGES[name]!;
      for (const value of least < 0n ? [least - 1n, most + 1n] : [most + 1n]) {
        const call = h.store(context(h, { ...before, [name]: value }));
        await expect(call, name).to.be.revert(connection.ethers);
      }
    }
    expect(await loaded(h, NAMES)).to.deep.equal(before);
  });

  it("forgets claims that were paid, and finds new ones", async () => {
    const h = await loadFixture(harness);
    for (const claims of [5n, 0n, 2n ** 96n - 1n, 0n, 0n, 1n]) {
      await h.store(context(h, { "ledgers.unpaidClaims": claims, claimed: claims > 2n ? 1n : 0n }));
      expect(await loaded(h, ["ledgers.unpaidClaims", "claimed"])).to.deep.equal({
        "ledgers.unpaidClaims": claims,
        claimed: claims === 0n ? 0n : 1n,
      });
    }
  });

  it("changes nothing else where a single value is written", async () => {
    const h = await loadFixture(harness);
    const half = Object.fromEntries(
      NAMES.map((name) => [name, (RANGES[name]![0] + RANGES[name]![1]) / 3n]),
    );
    for (const [name, write] of [
      ["ledgers.longCollateral", (by: bigint) => h.addCollateral(true, by)],
      ["ledgers.shortCollateral", (by: bigint) => h.addCollateral(false, by)],
      ["accountedQuote", (by: bigint) => h.addAccounted(by)],
    ] as const) {
      await h.store(context(h, half));
      const now = half[name]!;
      for (const [by, value] of [
        [RANGES[name]![1] - now, RANGES[name]![1]],
        [-RANGES[name]![1], 0n],
        [1n, 1n],
      ] as const) {
        await write(by);
        expect(await loaded(h, NAMES)).to.deep.equal({ ...half, [name]: value });
      }
      for (const by of [-2n, RANGES[name]![1]]) {
        await expect(write(by), name).to.be.revert(connection.ethers);
      }
    }
    await h.store(context(h, half));
    const room = 2n ** 96n - 1n - half["ledgers.insuranceFund"]!;
    await h.addInsurance(room);
    await expect(h.addInsurance(1n)).to.be.revert(connection.ethers);
    await h.setPausedUntil(2n ** 32n - 1n);
    const all = {
      ...half,
      "ledgers.insuranceFund": 2n ** 96n - 1n,
      pausedUntil: 2n ** 32n - 1n,
    };
    expect(await loaded(h, NAMES)).to.deep.equal(all);
    await h.setPausedUntil(0n);
    expect(await loaded(h, NAMES)).to.deep.equal({ ...all, pausedUntil: 0n });
  });

  it("caps the band's numbers, and `store` leaves them alone", async () => {
    const h = await loadFixture(harness);
    const names = Object.keys(BAND);
    for (let turn = 0; turn < 16; turn += 1) {
      const values = names.map((name, i) => ((turn >> i) & 1 ? BAND[name]![1] + 1n : BigInt(turn)));
      const [outer, depth, cost, rate] = values as [bigint, bigint, bigint, bigint];
      await h.storeBand(outer, depth, cost, rate);
      await h.store(context(h, pattern(BigInt(turn))));
      const found = await loaded(h, names);
      for (const [i, name] of names.entries()) {
        const most = BAND[name]![1];
        expect(found[name], name).to.equal(values[i]! > most ? most : values[i]);
      }
    }
  });

  it("shows every reader of a single value what a whole load shows", async () => {
    const h = await loadFixture(harness);
    await h.storeBand(1n, 2n, 3n, 4n);
    for (const seed of [1n, 2n, 3n, 4n, 5n]) {
      const values = { ...pattern(seed), ratioState: seed - 1n };
      await h.store(context(h, values));
      const v = values as Values;
      expect([...(await h.singles())]).to.deep.equal([
        v.ratioState,
        v.stateSince,
        v.recoverySince,
        v.longEpoch,
        v.shortEpoch,
        v.fundingIndexWad,
        v.fundingRateWad,
        v.lastSyncAt,
        v.skewReference,
        v.accountedQuote,
        v["ledgers.inventoryBase"],
        v["ledgers.inventoryQuote"],
        v.pausedUntil,
        4n,
        v.ratioState === 4n ? 1n : 0n,
      ]);
    }
  });

  it("keeps a position's fields at their extremes, and its margin alone changes alone", async () => {
    const h = await loadFixture(harness);
    const ranges = [
      signed(128n),
      unsigned(128n),
      unsigned(96n),
      signed(112n),
      unsigned(32n),
      unsigned(16n),
    ];
    type Six = [bigint, bigint, bigint, bigint, bigint, bigint];
    for (let turn = 0; turn < 64; turn += 1) {
      const fields = ranges.map((range, i) => range[((turn >> i) & 1) as 0 | 1]!) as Six;
      await h.storePosition(...fields);
      expect([...(await h.loadPosition())]).to.deep.equal(fields);
      const margin = 2n ** 96n - 1n - fields[2];
      await h.storeMargin(margin);
      expect([...(await h.loadPosition())]).to.deep.equal(fields.with(2, margin));
    }
    for (const i of [0, 1, 2, 3]) {
      const fields = [0n, 0n, 0n, 0n, 0n, 0n].with(i, ranges[i]![1]! + 1n) as Six;
      await expect(h.storePosition(...fields)).to.be.revert(connection.ethers);
    }
    await expect(h.storeMargin(2n ** 96n)).to.be.revert(connection.ethers);
  });
});
