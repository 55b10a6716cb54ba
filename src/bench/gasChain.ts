import {
  getAddress,
  Interface,
  type Result,
  Signature,
  type TypedDataDomain,
  type TypedDataField,
  toQuantity,
} from "ethers";
import { artifacts, network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { EvmChain } from "../simulation/evmChain.ts";
import { GENESIS, SECONDS_PER_BLOCK } from "./conditions.ts";

/** What is needed to deploy a contract and to talk to it. */
export interface ContractCode {
  readonly interface: Interface;
  /** Creation code, 0x-prefixed. */
  readonly bytecode: string;
}

/** A contract on the chain. */
export interface Deployed {
  readonly address: string;
  readonly interface: Interface;
}

/** One call of a contract in a transaction of its own. */
export interface Call {
  readonly to: Deployed;
  readonly data: string;
  /** Sends the transaction; the chain's user unless given. */
  readonly from?: string;
  /** Ether sent along, wei; none unless given. */
  readonly value?: bigint;
}

/** A call of a function. */
export function call(to: Deployed, method: string, args: readonly unknown[]): Call {
  return { to, data: to.interface.encodeFunctionData(method, args) };
}

/** The compiled form of one of the project's contracts. */
export async function compiled(name: string): Promise<ContractCode> {
  const { abi, bytecode } = await artifacts.readArtifact(name);
  return { interface: new Interface(JSON.stringify(abi)), bytecode };
}

/** A network of its own that begins at a fixed time. */
export function createNetwork(): Promise<NetworkConnection> {
  return network.create({
    override: { initialDate: new Date(GENESIS * 1000), initialBaseFeePerGas: 0 },
  });
}

/** A chain that mines blocks twelve seconds apart and tells what transactions cost. */
export class GasChain {
  /** The account that sends every transaction unless a call says otherwise. */
  readonly user: string;
  /** A second account. */
  readonly other: string;
  readonly #connection: NetworkConnection;
  readonly #chain: EvmChain;
  #timestamp: number;

  private constructor(
    connection: NetworkConnection,
    chain: EvmChain,
    [user, other]: readonly [string, string],
    timestamp: number,
  ) {
    this.#connection = connection;
    this.#chain = chain;
    this.user = user;
    this.other = other;
    this.#timestamp = timestamp;
  }

  /** Starts a chain at a fixed time with fixed accounts: the same transactions always cost the same. */
  static async open(): Promise<GasChain> {
    return GasChain.takeOver(await createNetwork(), 0, GENESIS);
  }

  /**
   * Takes over a network: from here on blocks come only from this chain.
   *
   * @param firstAccount number of the user's account; neither it nor the next one has sent anything yet
   * @param timestamp of the last block, or of the beginning
   */
  static async takeOver(
    connection: NetworkConnection,
    firstAccount: number,
    timestamp: number,
  ): Promise<GasChain> {
    const signers = await connection.ethers.getSigners();
    const [user, other] = signers.slice(firstAccount).map(({ address }) => address);
    if (user === undefined || other === undefined)
      throw new Error("the network has too few accounts that can sign");
    const chain = await EvmChain.take(connection.provider, [user, other]);
    return new GasChain(connection, chain, [user, other], timestamp);
  }

  /** Deploys a contract. */
  async deploy(code: ContractCode, ...args: readonly unknown[]): Promise<Deployed> {
    const parameters = code.interface.encodeDeploy(args).slice("0x".length);
    const [receipt] = await this.#chain.mine(this.#nextTimestamp(), [
      { from: this.user, data: code.bytecode + parameters },
    ]);
    if (receipt?.contractAddress === undefined) throw new Error("a contract could not be deployed");
    return { address: getAddress(receipt.contractAddress), interface: code.interface };
  }

  /**
   * Mines the calls in one block, in order.
   *
   * @returns gas used by each
   * @throws Error when one of them reverts
   */
  async send(...calls: readonly Call[]): Promise<number[]> {
    const receipts = await this.#chain.mine(
      this.#nextTimestamp(),
      calls.map(({ from = this.user, to, data, value }) => ({
        from,
        to: to.address,
        data,
        ...(value === undefined ? {} : { value: toQuantity(value) }),
      })),
    );
    return receipts.map(({ ok, gasUsed, revertData }, index) => {
      if (!ok) throw new Error(refusal(calls[index] as Call, revertData ?? "0x"));
      return gasUsed;
    });
  }

  /** Gas used by the last of the calls, mined in one block. */
  async measure(...calls: readonly [Call, ...Call[]]): Promise<number> {
    const gas = await this.send(...calls);
    return gas[calls.length - 1] as number;
  }

  /** Runs a view on the latest block. */
  async read(contract: Deployed, method: string, args: readonly unknown[] = []): Promise<Result> {
    const { data } = call(contract, method, args);
    return contract.interface.decodeFunctionResult(
      method,
      await this.#chain.call(contract.address, data),
    );
  }

  /** The user's EIP-712 signature, the same whenever it is asked for. */
  async sign(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    message: Record<string, unknown>,
  ): Promise<Signature> {
    const signer = await this.#connection.ethers.getSigner(this.user);
    return Signature.from(await signer.signTypedData(domain, types, message));
  }

  /** Lets time pass before the next block. */
  wait(seconds: number): void {
    this.#timestamp += seconds;
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Time of the last block. */
  get timestamp(): number {
    return this.#timestamp;
  }

  #nextTimestamp(): number {
    this.#timestamp += SECONDS_PER_BLOCK;
    return this.#timestamp;
  }
}

function refusal({ to, data }: Call, revertData: string): string {
  const method = to.interface.getFunction(data.slice(0, 10))?.name ?? "a call";
  return `${method} reverted with ${to.interface.parseError(revertData)?.signature ?? revertData}`;
}
