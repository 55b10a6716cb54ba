import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { deposit } from "./amounts.ts";
import {
  Action,
  type Block,
  block,
  type Step,
  step,
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
const SEQUENCES_PER_SEED = 60;
/** Then the shortest sequence found so far is reported. */
const TIME_LIMIT_MS = 60_000;
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
  protocolFee: boolean;
  /** Steps on the pool while it is empty, in the block of the first deposit. */
  before: Step[];
  deposit: [bigint, bigint];
  blocks: Block[];
}

const sequence: fc.Arbitrary<Sequence> = fc.record({
  pair: fc.nat(PAIRS.length - 1),
  clock: fc.constantFrom(0n, 0n, 0n, ...CLOCK_EDGES),
  protocolFee: fc.boolean(),
  before: fc.array(step, { maxLength: 2 }),
  deposit,
  blocks: fc.array(block, { minLength: 1, maxLength: 10, size: "max" }),
});

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

/** Does a sequence on both; throws at the first difference, with the exact amounts up to there. */
async function play(twins: Twins, { clock, protocolFee, before, deposit, blocks }: Sequence) {
  const [in0, in1] = deposit;
  const start: Step[] = [
    { kind: "start", action: Action.SetFeeTo, to: protocolFee ? "feeTo" : "nobody" },
    ...before,
    { kind: "first mint", action: Action.Mint, nudges: { in0, in1 } },
  ];
  const history: string[] = [];
  const latest = BigInt(await networkHelpers.time.latest());
  let now = clock > latest ? clock : latest;
  let last: [Outcome, Outcome] | undefined;
  for (const { wait, steps } of [{ wait: 1n, steps: start }, ...blocks]) {
    now += wait;
    await networkHelpers.time.setNextBlockTimestamp(now);
    const sent = await twins.driver.run(
      steps.map((each) => encode(twins, each)),
      { gasLimit: BLOCK_GAS },
    );
    tally.blocks += 1;
    const [published, candidate] = outcomes(twins, errors, (await sent.wait())!);
    for (const [i, each] of steps.entries()) {
      const ended: [Outcome, Outcome] = [published[i]!, candidate[i]!];
      const [theirs] = ended;
      tally.add(each, theirs);
      history.push(`at ${now} ${each.kind} to ${each.to ?? "driver"} ${shown(theirs.amounts)}`);
      const found = differences(each, ended, last);
      if (found.length > 0)
        throw new Error(["difference after", ...history, "in", ...found].join("\n  "));
      if (theirs.state.lpOfFeeTo! > (last?.[0].state.lpOfFeeTo ?? 0n)) tally.protocolShares += 1;
      last = ended;
    }
  }
}

describe("A pool and a pair of Uniswap V2 as published", () => {
  after(() => console.log(`      ${tally}`));

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
    it(`end every operation alike, to the unit, in the sequences of seed ${seed}`, async () => {
      const twins: Twins[] = [];
      for (const decimals of PAIRS) twins.push(await deployTwins(ethers, ...decimals));
      const snapshot = await networkHelpers.takeSnapshot();
      let played = 0;
      await fc.assert(
        fc.asyncProperty(sequence, async (drawn) => {
          await snapshot.restore();
          await play(twins[drawn.pair]!, drawn);
          played += 1;
        }),
        {
          seed,
          numRuns: SEQUENCES_PER_SEED,
          interruptAfterTimeLimit: TIME_LIMIT_MS,
          includeErrorInReport: true,
        },
      );
      expect(played, "sequences within the time limit").to.equal(SEQUENCES_PER_SEED);
      for (const kind of ["first mint", ...usualKinds])
        expect(tally.succeeded.get(kind), `${kind}: ${tally}`).to.be.greaterThan(0);
      for (const kind of unusualKinds)
        expect(tally.refused.get(kind), `${kind}: ${tally}`).to.be.greaterThan(0);
      expect([...tally.reasons.keys()]).to.include.members(V2_REASONS);
      expect(tally.protocolShares).to.be.greaterThan(0);
    });
  }
});
