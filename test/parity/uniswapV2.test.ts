import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { deposit } from "./amounts.ts";
import {
  Action,
  block,
  type Party,
  type Step,
  step,
  type Timed,
  unusualKinds,
  usualKinds,
} from "./pairSteps.ts";
import {
  deployTwins,
  differences,
  encode,
  type Outcome,
  outcomes,
  shown,
  type Twins,
} from "./twins.ts";

const { ethers, networkHelpers } = await network.create();

const deep = process.env.BALLAST_DEEP === "1";
const FIRST_SEED = 0xba11a57;
const SEEDS = deep ? 15 : 1;
const SEQUENCES = 60;
/** Pays for a block of invalid opcodes, each at the gas limit of a step, and fits the cap on a transaction. */
const BLOCK_GAS = 16_000_000n;

/** Decimals of the tokens. */
const PAIRS: [bigint, bigint][] = [
  [6n, 18n],
  [18n, 18n],
  [8n, 6n],
  [0n, 18n],
];

/** Shortly before clocks of 31 and 32 bits wrap. */
const CLOCK_EDGES = [2n ** 31n - 9n, 2n ** 32n - 9n];

/** What Uniswap V2's pair can say, but for the lock: that one is said to the callback. */
const V2_REASONS = [
  "UniswapV2: INSUFFICIENT_INPUT_AMOUNT",
  "UniswapV2: INSUFFICIENT_LIQUIDITY",
  "UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED",
  "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED",
  "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT",
  "UniswapV2: INVALID_TO",
  "UniswapV2: K",
  "UniswapV2: OVERFLOW",
  "UniswapV2: TRANSFER_FAILED",
];

interface Sequence {
  pair: number;
  /** Time of the start, if later than now. */
  clock: bigint;
  steps: Timed[];
}

/** The switch of the protocol's share, steps on the empty pool and a first deposit in one block, then blocks of random steps. */
const sequence: fc.Arbitrary<Sequence> = fc
  .record({
    pair: fc.nat(PAIRS.length - 1),
    clock: fc.constantFrom(0n, 0n, 0n, ...CLOCK_EDGES),
    feeTo: fc.constantFrom<Party>("feeTo", "nobody"),
    before: fc.array(step, { maxLength: 2 }),
    deposit,
    blocks: fc.array(block, { minLength: 1, maxLength: 10, size: "max" }),
  })
  .map(({ pair, clock, feeTo, before, deposit: [in0, in1], blocks }) => ({
    pair,
    clock,
    steps: [
      { wait: 1n, kind: "start", action: Action.SetFeeTo, to: feeTo },
      ...before.map((each) => ({ wait: 0n, ...each })),
      { wait: 0n, kind: "first mint", action: Action.Mint, nudges: { in0, in1 } },
      ...blocks.flat(),
    ],
  }));

const errors = await Promise.all(
  ["ConstantProductPool", "ConstantProductMathHarness", "MockERC20"].map(
    async (name) => (await ethers.getContractFactory(name)).interface,
  ),
);

/** How often what happened, over all sequences. */
class Tally {
  readonly succeeded = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly reasons = new Map<string, number>();
  blocks = 0;
  protocolShares = 0;

  add({ kind }: Step, { succeeded, reason }: Outcome): void {
    const count = (counts: Map<string, number>, name: string) =>
      counts.set(name, (counts.get(name) ?? 0) + 1);
    count(succeeded ? this.succeeded : this.refused, kind);
    if (!succeeded) count(this.reasons, reason);
  }

  toString(): string {
    const sum = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0);
    const kinds = [...new Set([...this.succeeded.keys(), ...this.refused.keys()])]
      .sort()
      .map((kind) => `${kind} ${this.succeeded.get(kind) ?? 0}/${this.refused.get(kind) ?? 0}`);
    const steps = sum(this.succeeded) + sum(this.refused);
    return `${steps} operations in ${this.blocks} blocks, ${this.protocolShares} protocol shares; succeeded/refused: ${kinds.join(", ")}`;
  }
}

const tally = new Tally();

/** Does a sequence on both; returns the first difference, with the exact amounts up to there. */
async function play(twins: Twins, { clock, steps }: Sequence): Promise<string | undefined> {
  const latest = BigInt(await networkHelpers.time.latest());
  let now = clock > latest ? clock : latest;
  const history: string[] = [];
  let last: [Outcome, Outcome] | undefined;
  for (let from = 0, to = 1; from < steps.length; from = to, to = from + 1) {
    while (steps[to]?.wait === 0n) to += 1;
    const together = steps.slice(from, to);
    now += together[0]!.wait > 0n ? together[0]!.wait : 1n;
    await networkHelpers.time.setNextBlockTimestamp(now);
    const encoded = together.map((each) => encode(twins, each));
    const sent = await twins.driver.run(encoded, { gasLimit: BLOCK_GAS });
    tally.blocks += 1;
    const [published, candidate] = outcomes(twins, errors, (await sent.wait())!);
    for (const [i, each] of together.entries()) {
      const ended: [Outcome, Outcome] = [published[i]!, candidate[i]!];
      const [{ amounts, state }] = ended;
      tally.add(each, ended[0]);
      history.push(`at ${now} ${each.kind} to ${each.to ?? "driver"} ${shown(amounts)}`);
      const found = differences(each, ended, last);
      if (found.length > 0) return ["difference after", ...history, "in", ...found].join("\n  ");
      if (state.lpOfFeeTo! > (last?.[0].state.lpOfFeeTo ?? 0n)) tally.protocolShares += 1;
      last = ended;
    }
  }
  return undefined;
}

/** Leaves out steps, many at a time and then single ones, as long as a difference remains. */
async function shortest(
  differs: (tried: Sequence) => Promise<string | undefined>,
  failing: Sequence,
): Promise<string> {
  let [steps, difference] = [failing.steps, (await differs(failing))!];
  for (const size of [16, 8, 4, 2, 1, 1]) {
    for (let end = steps.length; end > 0; end -= size) {
      const fewer = steps.toSpliced(Math.max(0, end - size), size);
      const found = await differs({ ...failing, steps: fewer });
      if (found !== undefined) [steps, difference] = [fewer, found];
    }
  }
  return difference;
}

describe("A pool and a pair of Uniswap V2 as published", () => {
  after(() => console.log(`      ${tally}`));

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
    it(`end every operation alike, to the unit, in the sequences of seed ${seed}`, async () => {
      const twins: Twins[] = [];
      for (const decimals of PAIRS) twins.push(await deployTwins(ethers, ...decimals));
      const snapshot = await networkHelpers.takeSnapshot();
      const differs = async (tried: Sequence) => {
        await snapshot.restore();
        return play(twins[tried.pair]!, tried);
      };
      for (const [i, drawn] of fc.sample(sequence, { seed, numRuns: SEQUENCES }).entries()) {
        if ((await differs(drawn)) === undefined) continue;
        const difference = await shortest(differs, drawn);
        expect.fail(`seed ${seed}, sequence ${i}, pair ${drawn.pair}: ${difference}`);
      }
      for (const kind of ["first mint", ...usualKinds])
        expect(tally.succeeded.get(kind), `${kind}: ${tally}`).to.be.greaterThan(0);
      for (const kind of unusualKinds)
        expect(tally.refused.get(kind), `${kind}: ${tally}`).to.be.greaterThan(0);
      expect([...tally.reasons.keys()]).to.include.members(V2_REASONS);
      expect(tally.protocolShares).to.be.greaterThan(0);
    });
  }
});
