import { getAddress, getCreateAddress, type Interface, toBeHex, ZeroAddress } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import {
  DEFAULT_SETTINGS,
  type DeploymentSettings,
  deployProtocol,
  type Protocol,
} from "../../../deploy/deployProtocol.ts";
import { atFixedTimes } from "../../../deploy/fixedTimes.ts";
import { GENESIS, SECONDS_PER_BLOCK } from "../../../src/bench/conditions.ts";
import type { Address, ContractName } from "../../../src/model/calls.ts";
import { type ChainTransaction, EvmChain } from "../../../src/simulation/evmChain.ts";
import type { Callable, Contracts } from "./abi.ts";

/** What distinguishes one deployment of the campaign from another. */
export interface TwinSettings {
  readonly name: string;
  readonly overrides: Partial<DeploymentSettings>;
  readonly baseIsToken0: boolean;
  readonly hasSequencer: boolean;
  /** Highest fee of the constant-product pool (ppm) and its multiplier (1e18); fixed unless given. */
  readonly volatileFee?: { readonly maximumPpm: bigint; readonly multiplierWad: bigint };
}

/** Who acts, by name. Who appears first in a list is used first. */
export const PEOPLE = {
  traders: ["alice", "bob", "carol", "dave", "erin", "frank"],
  lps: ["lena", "luis", "lola"],
  poolLps: ["paul", "pia"],
  keepers: ["kate", "karl"],
  strangers: ["sam", "sue"],
} as const;

/** The first block of a campaign, whatever number of transactions the deployment takes. */
export const START = BigInt(GENESIS + 1_800);
/** Id of a mock feed's first round. */
export const FIRST_ROUND = (1n << 64n) | 1n;
const MAX_UINT256 = 2n ** 256n - 1n;
/** Whole tokens that everybody but strangers begins with. */
const WALLET_DIGITS = 9;

/** A protocol on a chain of its own with people who may act on it. */
export interface Deployment {
  readonly settings: TwinSettings;
  readonly connection: NetworkConnection;
  readonly protocol: Protocol;
  readonly contracts: Contracts;
  /** Addresses by name: people, deployer, timelock and contracts. */
  readonly names: ReadonlyMap<string, Address>;
  /** Addresses that may send. */
  readonly senders: readonly Address[];
}

/** Deploys, and gives everybody tokens and allowances in a block at `START`. */
export async function deployTwin(settings: TwinSettings): Promise<Deployment> {
  const connection = await network.create({
    override: {
      initialDate: new Date(GENESIS * 1000),
      initialBaseFeePerGas: 0,
      allowBlocksWithSameTimestamp: true,
    },
  });
  const { result } = await atFixedTimes(
    connection,
    { firstAt: GENESIS + SECONDS_PER_BLOCK, spacing: SECONDS_PER_BLOCK },
    () => deployContracts(connection, settings),
  );
  const [protocol, sequencerFeed] = result;
  const contracts = await callables(protocol, sequencerFeed);
  const [deployer] = await connection.ethers.getSigners();
  const names = new Map<string, Address>([
    ["deployer", deployer!.address],
    ["timelock", await protocol.timelock.getAddress()],
    ["zero", ZeroAddress],
  ]);
  for (const [name, { address }] of Object.entries(contracts)) names.set(name, address);
  const people = Object.values(PEOPLE).flat();
  for (const [i, name] of people.entries()) {
    names.set(name, getAddress(toBeHex(0xba11a57_000000n + BigInt(i + 1), 20)));
  }
  const senders = [...people, "deployer", "timelock", "rebalancer"].map((name) => names.get(name)!);
  const deployment = { settings, connection, protocol, contracts, names, senders };
  await fund(deployment);
  return deployment;
}

/** The contracts, and the sequencer's feed or the zero address. The last transactions are those of `deployProtocol`. */
export async function deployContracts(
  connection: NetworkConnection,
  { overrides, baseIsToken0, hasSequencer, volatileFee }: TwinSettings,
): Promise<[Protocol, string]> {
  const { ethers } = connection;
  const [deployer] = await ethers.getSigners();
  const sequencer = hasSequencer
    ? await ethers.deployContract("MockPriceFeed", [0, "uptime", 0n])
    : undefined;
  // Up for two hours, so that the grace is over.
  const upAt = BigInt(GENESIS - 7_200);
  await sequencer?.setRound(FIRST_ROUND, 0n, upAt, upAt, FIRST_ROUND);
  // Addresses follow from nonces: some are skipped until the tokens come in the order asked for.
  for (;;) {
    const nonce = await deployer!.getNonce();
    const [base, quote] = [nonce, nonce + 1].map((n) =>
      BigInt(getCreateAddress({ from: deployer!.address, nonce: n })),
    );
    if (base! < quote! === baseIsToken0) break;
    await deployer!.sendTransaction({ to: deployer!.address });
  }
  const deploy = ethers.deployContract as (name: string, ...rest: unknown[]) => Promise<unknown>;
  const withFee = (name: string, ...rest: unknown[]) => {
    if (name !== "PoolFactory" || volatileFee === undefined) return deploy(name, ...rest);
    const [[feeToSetter, minimum]] = rest as [[unknown, unknown]];
    const { maximumPpm, multiplierWad } = volatileFee;
    return deploy(name, [feeToSetter, minimum, maximumPpm, multiplierWad]);
  };
  const patched = { ...ethers, deployContract: withFee as typeof ethers.deployContract };
  const protocol = await deployProtocol(
    { ...connection, ethers: patched },
    sequencer === undefined
      ? overrides
      : { ...overrides, sequencerFeed: await sequencer.getAddress() },
  );
  return [protocol, (await sequencer?.getAddress()) ?? ZeroAddress];
}

/** The contracts as calls and logs need them. */
export async function callables(protocol: Protocol, sequencerFeed: string): Promise<Contracts> {
  const of = async (contract: {
    interface: Interface;
    getAddress(): Promise<string>;
  }): Promise<Callable> => ({
    address: await contract.getAddress(),
    interface: contract.interface,
  });
  return {
    feed: await of(protocol.feed),
    sequencerFeed: { address: sequencerFeed, interface: protocol.feed.interface },
    base: await of(protocol.base),
    quote: await of(protocol.quote),
    factory: await of(protocol.factory),
    pool: await of(protocol.pool),
    volatilityOracle: await of(protocol.volatilityOracle),
    marginPool: await of(protocol.marginPool),
    rebalancer: await of(protocol.rebalancer),
  };
}

async function fund({ connection, settings, contracts, names }: Deployment): Promise<void> {
  const { baseDecimals, quoteDecimals } = { ...DEFAULT_SETTINGS, ...settings.overrides };
  const people = Object.values(PEOPLE).flat();
  const chain = await EvmChain.take(
    connection.provider,
    people.map((name) => names.get(name)!),
  );
  const send = (
    from: string,
    to: ContractName,
    method: string,
    args: readonly unknown[],
  ): ChainTransaction => ({
    from: names.get(from)!,
    to: contracts[to].address,
    data: contracts[to].interface.encodeFunctionData(method, args),
  });
  const strangers: readonly string[] = PEOPLE.strangers;
  const transactions = people
    .filter((name) => !strangers.includes(name))
    .flatMap((name) =>
      (
        [
          ["base", baseDecimals],
          ["quote", quoteDecimals],
        ] as const
      ).flatMap(([token, decimals]) => [
        send(name, token, "mint", [names.get(name)!, 10n ** BigInt(WALLET_DIGITS + decimals)]),
        ...(["pool", "marginPool"] as const).map((spender) =>
          send(name, token, "approve", [contracts[spender].address, MAX_UINT256]),
        ),
      ]),
    );
  const receipts = await chain.mine(Number(START), transactions);
  if (receipts.some(({ ok }) => !ok)) throw new Error("somebody could not be given tokens");
}
