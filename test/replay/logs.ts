import type { Interface, Result } from "ethers";
import type { EthereumProvider } from "hardhat/types/providers";

/** Whose log it is. */
export const SOURCES = [
  "marginPool",
  "rebalancer",
  "volatilityOracle",
  "pool",
  "feed",
  "base",
  "quote",
] as const;
export type Source = (typeof SOURCES)[number];

/** One decoded log. */
export interface ReplayLog {
  readonly source: Source;
  readonly name: string;
  readonly args: Result;
  readonly transaction: string;
  /** Block time, unix seconds. */
  readonly at: bigint;
}

/** What decoding the logs of a contract takes. */
interface Emitter {
  readonly interface: Interface;
  getAddress(): Promise<string>;
}

interface RpcLog {
  readonly address: string;
  readonly topics: string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly transactionHash: string;
}

/**
 * All logs of the contracts from a block on, decoded, in the order they were written.
 *
 * @param from first block
 */
export async function fetchLogs(
  provider: EthereumProvider,
  emitters: Readonly<Record<Source, Emitter>>,
  from = 0,
): Promise<{ logs: ReplayLog[]; blocks: number }> {
  const sourceAt = new Map<string, Source>();
  for (const source of SOURCES) {
    sourceAt.set((await emitters[source].getAddress()).toLowerCase(), source);
  }
  const latest = Number(await provider.request({ method: "eth_blockNumber" }));
  const filter = { address: [...sourceAt.keys()], fromBlock: hex(from), toBlock: hex(latest) };
  const raw = (await provider.request({ method: "eth_getLogs", params: [filter] })) as RpcLog[];
  const times = new Map<string, bigint>();
  const logs: ReplayLog[] = [];
  for (const { address, topics, data, blockNumber, transactionHash } of raw) {
    const source = sourceAt.get(address.toLowerCase());
    if (source === undefined) continue;
    const parsed = emitters[source].interface.parseLog({ topics, data });
    if (parsed === null) throw new Error(`a log of ${source} is not in its interface`);
    if (!times.has(blockNumber)) times.set(blockNumber, await timeOf(provider, blockNumber));
    logs.push({
      source,
      name: parsed.name,
      args: parsed.args,
      transaction: transactionHash,
      at: times.get(blockNumber)!,
    });
  }
  return { logs, blocks: latest };
}

const hex = (block: number): string => `0x${block.toString(16)}`;

/** Time of a block, unix seconds. */
export async function timeOf(provider: EthereumProvider, block: string): Promise<bigint> {
  const found = await provider.request({ method: "eth_getBlockByNumber", params: [block, false] });
  return BigInt((found as { timestamp: string }).timestamp);
}
