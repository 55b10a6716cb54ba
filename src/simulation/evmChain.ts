import type { EthereumProvider } from "hardhat/types/providers";

/** A transaction of an unlocked account. */
export interface ChainTransaction {
  readonly from: string;
  /** Creates a contract when absent. */
  readonly to?: string;
  readonly data: string;
  /** Ether sent along: wei, 0x-prefixed without leading zeros. */
  readonly value?: string;
}

/** One log of a receipt. */
export interface ChainLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** What a mined transaction left behind. `revertData` is only looked up for failures. */
export interface ChainReceipt {
  readonly ok: boolean;
  readonly gasUsed: number;
  /** The contract that the transaction created. */
  readonly contractAddress?: string;
  readonly logs: readonly ChainLog[];
  readonly revertData?: string;
}

interface RpcReceipt {
  readonly status: string;
  readonly gasUsed: string;
  readonly contractAddress?: string | null;
  readonly logs: ChainLog[];
}

/** Enough for any call of the protocol and below every per-transaction cap. */
const GAS_LIMIT = "0x7a1200";
const GAS_PRICE = "0x3b9aca00";
const BALANCE = "0x52b7d2dcc80cd2e4000000";

/**
 * Blocks with many transactions, as fast as an in-process node allows: no signing, no gas estimation, explicit
 * nonces, and one `evm_mine` per block at the given time.
 */
export class EvmChain {
  readonly #provider: EthereumProvider;
  readonly #nonces = new Map<string, number>();

  private constructor(provider: EthereumProvider) {
    this.#provider = provider;
  }

  /** Takes over a provider: from here on blocks come only from `mine`. */
  static async take(provider: EthereumProvider, accounts: readonly string[]): Promise<EvmChain> {
    const chain = new EvmChain(provider);
    await provider.request({ method: "evm_setAutomine", params: [false] });
    for (const account of new Set(accounts)) {
      await provider.request({ method: "hardhat_impersonateAccount", params: [account] });
      await provider.request({ method: "hardhat_setBalance", params: [account, BALANCE] });
      const nonce: unknown = await provider.request({
        method: "eth_getTransactionCount",
        params: [account, "latest"],
      });
      chain.#nonces.set(account, Number(nonce));
    }
    return chain;
  }

  /**
   * Mines one block.
   *
   * @param timestamp unix seconds, later than the last block
   * @returns a receipt per transaction, in order
   * @throws Error when a transaction did not fit into the block
   */
  async mine(
    timestamp: number,
    transactions: readonly ChainTransaction[],
  ): Promise<ChainReceipt[]> {
    const hashes: string[] = [];
    for (const { from, to, data, value } of transactions) {
      const nonce = this.#nonces.get(from) ?? 0;
      this.#nonces.set(from, nonce + 1);
      const transaction = {
        from,
        ...(to === undefined ? {} : { to }),
        data,
        ...(value === undefined ? {} : { value }),
        gas: GAS_LIMIT,
        gasPrice: GAS_PRICE,
        nonce: `0x${nonce.toString(16)}`,
      };
      const hash: unknown = await this.#provider.request({
        method: "eth_sendTransaction",
        params: [transaction],
      });
      hashes.push(String(hash));
    }
    await this.#provider.request({ method: "evm_mine", params: [timestamp] });
    const receipts: ChainReceipt[] = [];
    for (const [index, hash] of hashes.entries()) {
      receipts.push(await this.#receipt(hash, transactions[index] as ChainTransaction));
    }
    return receipts;
  }

  /** Runs a view on the latest block. */
  async call(to: string, data: string): Promise<string> {
    const result: unknown = await this.#provider.request({
      method: "eth_call",
      params: [{ to, data }, "latest"],
    });
    return String(result);
  }

  /** Runs a view as a transaction in a block at `timestamp` would: state of the latest block, time of the next. */
  async callAt(timestamp: number, to: string, data: string): Promise<string> {
    await this.#provider.request({ method: "evm_setNextBlockTimestamp", params: [timestamp] });
    const result: unknown = await this.#provider.request({
      method: "eth_call",
      params: [{ to, data }, "pending"],
    });
    return String(result);
  }

  async #receipt(hash: string, transaction: ChainTransaction): Promise<ChainReceipt> {
    const answer: unknown = await this.#provider.request({
      method: "eth_getTransactionReceipt",
      params: [hash],
    });
    const receipt = answer as RpcReceipt | null;
    if (receipt === null) throw new Error(`transaction ${hash} did not fit into its block`);
    const { status, logs, contractAddress } = receipt;
    const gasUsed = Number(receipt.gasUsed);
    if (status !== "0x1")
      return { ok: false, gasUsed, logs: [], revertData: await this.#revertData(transaction) };
    return { ok: true, gasUsed, logs, ...(contractAddress ? { contractAddress } : {}) };
  }

  /** Repeats a failed transaction on the state after its block: the cause is almost always still there. */
  async #revertData(transaction: ChainTransaction): Promise<string> {
    try {
      await this.#provider.request({ method: "eth_call", params: [transaction, "latest"] });
      return "0x";
    } catch (thrown) {
      return revertDataOf(thrown);
    }
  }
}

/** The revert data inside a provider's error, "0x" where there is none. */
export function revertDataOf(thrown: unknown): string {
  for (let error: unknown = thrown; typeof error === "object" && error !== null; ) {
    const { data, cause } = error as { data?: unknown; cause?: unknown };
    if (typeof data === "string" && data.startsWith("0x")) return data;
    if (
      typeof data === "object" &&
      data !== null &&
      "data" in data &&
      typeof data.data === "string"
    )
      return data.data;
    error = cause;
  }
  return "0x";
}
