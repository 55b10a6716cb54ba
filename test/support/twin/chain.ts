import { toBeHex } from "ethers";
import type { AbiValue, ContractError } from "../../../src/math/revert.ts";
import type { Action, Address } from "../../../src/model/calls.ts";
import type { ProtocolState } from "../../../src/model/state.ts";
import { EvmChain, revertDataOf } from "../../../src/simulation/evmChain.ts";
import { type ChainEvent, decodeError, decodeLogs, decodeResult, encode } from "./abi.ts";
import type { Deployment } from "./deployment.ts";
import { StateReader } from "./reader.ts";

/** What a call did, on a chain or in the model. */
export type Outcome =
  | {
      readonly ok: true;
      readonly value: AbiValue | undefined;
      readonly events: readonly ChainEvent[];
    }
  | { readonly ok: false; readonly error: ContractError; readonly events: readonly [] };

/**
 * The contracts behind the same interface as the model: actions in, outcomes and states out. Every action has a block of its own; two
 * blocks may have one time.
 */
export class ChainTwin {
  readonly deployment: Deployment;
  #chain: EvmChain;
  #reader: StateReader;
  #snapshot: unknown;

  private constructor(
    deployment: Deployment,
    chain: EvmChain,
    reader: StateReader,
    snapshot: unknown,
  ) {
    this.deployment = deployment;
    this.#chain = chain;
    this.#reader = reader;
    this.#snapshot = snapshot;
  }

  /** Takes over a deployment; what it is now is what `reset` goes back to. */
  static async take(deployment: Deployment): Promise<ChainTwin> {
    const { provider } = deployment.connection;
    const snapshot: unknown = await provider.request({ method: "evm_snapshot", params: [] });
    const chain = await EvmChain.take(provider, deployment.senders);
    return new ChainTwin(deployment, chain, await StateReader.create(deployment), snapshot);
  }

  /** Everything as it was when the twin was taken over. */
  async reset(): Promise<void> {
    const { provider } = this.deployment.connection;
    await provider.request({ method: "evm_revert", params: [this.#snapshot] });
    this.#snapshot = await provider.request({ method: "evm_snapshot", params: [] });
    this.#chain = await EvmChain.take(provider, this.deployment.senders);
    this.#reader = this.#reader.fresh();
  }

  /** Runs one action in a block at its time. */
  async apply(action: Action): Promise<Outcome> {
    const { contracts } = this.deployment;
    const to = contracts[action.to];
    const transaction = { from: action.from, to: to.address, data: encode(contracts, action) };
    const hasValue = to.interface.getFunction(action.method)!.outputs.length > 0;
    // A call before the block is the only way to a transaction's return value.
    const value = hasValue ? await this.#result(action, transaction) : undefined;
    const [receipt] = await this.#chain.mine(Number(action.at), [transaction]);
    this.#reader.learn(action);
    if (receipt === undefined) throw new Error("no receipt");
    if (!receipt.ok) {
      return { ok: false, error: decodeError(contracts, receipt.revertData ?? "0x"), events: [] };
    }
    const events = decodeLogs(contracts, receipt.logs);
    this.#reader.learnEvents(events);
    return { ok: true, value, events };
  }

  /** All the contracts keep now. */
  state(): Promise<ProtocolState> {
    return this.#reader.read();
  }

  /** The same, with everything read again that was read before. */
  sweep(): Promise<ProtocolState> {
    return this.#reader.sweep();
  }

  /** Whether the slot of a contract has been read since the beginning. */
  hasRead(address: string, slot: bigint): boolean {
    return this.#reader.hasRead(address, slot);
  }

  /** Storage that the last transaction wrote. */
  async lastWrites(): Promise<Write[]> {
    const { provider } = this.deployment.connection;
    const block = (await provider.request({
      method: "eth_getBlockByNumber",
      params: ["latest", true],
    })) as { readonly transactions: readonly { readonly hash: string; readonly to: string }[] };
    const { hash, to } = block.transactions[0]!;
    const trace = (await provider.request({
      method: "debug_traceTransaction",
      params: [hash, { disableMemory: true, disableStorage: true }],
    })) as { readonly structLogs: readonly TraceStep[] };
    return writesOf(to, trace.structLogs);
  }

  async #result(
    action: Action,
    transaction: { from: Address; to: Address; data: string },
  ): Promise<AbiValue | undefined> {
    const { provider } = this.deployment.connection;
    const to = this.deployment.contracts[action.to];
    await provider.request({
      method: "evm_setNextBlockTimestamp",
      params: [Number(action.at)],
    });
    try {
      const data: unknown = await provider.request({
        method: "eth_call",
        params: [transaction, "pending"],
      });
      return decodeResult(to, action.method, String(data));
    } catch (thrown) {
      if (revertDataOf(thrown) === "0x") throw thrown;
      return undefined;
    }
  }
}

/** A slot of a contract that a transaction wrote. */
export interface Write {
  readonly address: string;
  readonly slot: bigint;
}

interface TraceStep {
  readonly op: string;
  readonly depth: number;
  readonly stack: readonly string[];
}

/** Follows whose storage is written from call to call. */
function writesOf(to: string, steps: readonly TraceStep[]): Write[] {
  const owners = [to];
  const writes: Write[] = [];
  for (const { op, depth, stack } of steps) {
    const owner = owners[depth - 1]!;
    const top = (place: number): bigint => BigInt(stack[stack.length - place]!);
    if (op === "SSTORE") writes.push({ address: owner, slot: top(1) });
    if (op === "CALL" || op === "STATICCALL") owners[depth] = toBeHex(top(2) & ADDRESS_MASK, 20);
    if (op === "DELEGATECALL") owners[depth] = owner;
  }
  return writes;
}

const ADDRESS_MASK = 2n ** 160n - 1n;
