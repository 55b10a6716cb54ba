import assert from "node:assert/strict";
import { network } from "hardhat";
import { atFixedTimes } from "../../deploy/fixedTimes.ts";
import { GENESIS } from "../../src/bench/conditions.ts";
import { deploymentSchedule, deploymentSteps } from "../../src/deploymentSchedule.ts";
import { DEFAULT_SETTINGS, type DeploymentSettings } from "../../src/deploymentSettings.ts";
import { ZERO_ADDRESS } from "../../src/model/calls.ts";
import { type GenesisAddresses, genesis } from "../../src/model/genesis.ts";
import type { FeedState, ProtocolState } from "../../src/model/state.ts";
import { differenceOf, told } from "../support/twin/compare.ts";
import {
  callables,
  deployContracts,
  FIRST_ROUND,
  type TwinSettings,
} from "../support/twin/deployment.ts";
import { StateReader } from "../support/twin/reader.ts";
import { WAD } from "../support/twin/scene.ts";
import { EMPTY_WORLDS, WORLDS } from "../support/twin/worlds.ts";

interface Deployed {
  readonly state: ProtocolState;
  readonly addresses: GenesisAddresses;
  /** Time of the last transaction, unix seconds. */
  readonly endsAt: number;
}

/** A sequencer's feed that has been up for two hours. */
function uptime(): FeedState {
  const upAt = BigInt(GENESIS - 7_200);
  const round = { answer: 0n, startedAt: upAt, updatedAt: upAt, answeredInRound: FIRST_ROUND };
  return { latestRoundId: FIRST_ROUND, rounds: new Map([[FIRST_ROUND, round]]) };
}

/** Deploys in blocks of a second each and reads what the contracts keep. */
async function deployed(settings: TwinSettings, spacing: number): Promise<Deployed> {
  const connection = await network.create({
    override: { initialDate: new Date(GENESIS * 1000), initialBaseFeePerGas: 0 },
  });
  const { result, timestamp } = await atFixedTimes(
    connection,
    { firstAt: GENESIS + 1, spacing },
    () => deployContracts(connection, settings),
  );
  const [protocol, sequencerFeed] = result;
  const contracts = await callables(protocol, sequencerFeed);
  const [signer] = await connection.ethers.getSigners();
  const deployer = signer!.address;
  const timelock = await protocol.timelock.getAddress();
  const names = new Map([
    ["deployer", deployer],
    ["timelock", timelock],
    ["zero", ZERO_ADDRESS],
    ...Object.entries(contracts).map(([name, { address }]): [string, string] => [name, address]),
  ]);
  const senders = [deployer, timelock];
  const reader = await StateReader.create({
    settings,
    connection,
    protocol,
    contracts,
    names,
    senders,
  });
  const state = await reader.read();
  return { state, addresses: { ...state.config.addresses, deployer, timelock }, endsAt: timestamp };
}

const { volatileFee: _, ...FIXED_FEE } = WORLDS[1] as TwinSettings;
const PLAIN: TwinSettings = {
  name: "default settings",
  overrides: {},
  baseIsToken0: false,
  hasSequencer: false,
};
const CASES: readonly TwinSettings[] = [
  PLAIN,
  { ...FIXED_FEE, name: "8-18-18, sequencer, fixed fee" },
  ...WORLDS.filter(({ volatileFee }) => volatileFee === undefined),
  ...EMPTY_WORLDS,
  {
    name: "no shares, but a pool to trade with",
    overrides: { lpEquity: 0n, initialPrice: 3n * WAD + 7n, swapFeePpm: 100n },
    baseIsToken0: true,
    hasSequencer: false,
  },
  {
    name: "shares, but no pool to hedge with",
    overrides: { poolQuoteDepth: 0n, insurance: 0n, baseDecimals: 0, quoteDecimals: 2 },
    baseIsToken0: true,
    hasSequencer: false,
  },
];

describe("genesis", () => {
  for (const settings of CASES) {
    it(`is what a deployment leaves behind: ${settings.name}`, async () => {
      const { state, addresses, endsAt } = await deployed(settings, 1);
      const { sequencerFeed } = state.config.addresses;
      const all: DeploymentSettings = {
        ...DEFAULT_SETTINGS,
        ...settings.overrides,
        ...(settings.hasSequencer ? { sequencerFeed } : {}),
      };
      const firstAt = endsAt + 1 - deploymentSteps(all).length;
      const model = genesis(
        all,
        deploymentSchedule(BigInt(firstAt), all),
        addresses,
        settings.hasSequencer ? uptime() : undefined,
      );
      const difference = differenceOf(state, model, "state", new Map());
      assert.equal(difference && told(difference, new Map()), undefined);
    });
  }

  it("refuses settings that make no sense", () => {
    const schedule = deploymentSchedule(1_700_000_000n);
    assert.throws(() => genesis({ ...DEFAULT_SETTINGS, initialPrice: 0n }, schedule), RangeError);
    assert.throws(
      () => genesis({ ...DEFAULT_SETTINGS, targetBaseWeight: WAD }, schedule),
      ({ message }: Error) =>
        message === "MarginPool_WeightOutOfBounds(1000000000000000000, 900000000000000000)",
    );
  });

  it("wants the time of every step that looks at the clock", () => {
    const { poke: _, ...rest } = deploymentSchedule(1_700_000_000n);
    assert.throws(() => genesis(DEFAULT_SETTINGS, rest), /no time for poke/);
  });
});
