import { getAddress, Interface, type Result } from "ethers";
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

/** A chain of its own with one user, which mines blocks twelve seconds apart and tells what transactions cost. */
export class GasChain {
  /** The account that sends every transaction. */
  readonly user: string;
  readonly #connection: NetworkConnection;
  readonly #chain: EvmChain;
  #timestamp = GENESIS;

  private constructor(connection: NetworkConnection, chain: EvmChain, user: string) {
    this.#connection = connection;
    this.#chain = chain;
    this.user = user;
  }

  /** Starts a chain at a fixed time with fixed accounts: the same transactions always cost the same. */
  static async open(): Promise<GasChain> {
    const connection = await network.create({
      override: { initialDate: new Date(GENESIS * 1000), initialBaseFeePerGas: 0 },
    });
    const [user] = await connection.ethers.getSigners();
    if (user === undefined) throw new Error("the network has no account that can sign");
    const chain = await EvmChain.take(connection.provider, [user.address]);
    return new GasChain(connection, chain, user.address);
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
      calls.map(({ to, data }) => ({ from: this.user, to: to.address, data })),
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

  async close(): Promise<void> {
    await this.#connection.close();
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
