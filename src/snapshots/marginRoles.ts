import { type ContractTransactionResponse, ZeroHash } from "ethers";
import type { Protocol } from "../../deploy/deployProtocol.ts";
import { call } from "../bench/gasChain.ts";
import type { Figures, Row } from "./figures.ts";
import { MARGIN_SETTINGS, MarginChain, PRICE } from "./marginChain.ts";

/** An empty pool whose timelock executes at once. */
const SETTINGS = { ...MARGIN_SETTINGS, lpEquity: 0n, timelockDelaySeconds: 0n };
/** First liquidity: base of 18 decimals, quote of 6. */
const BASE = 25_789_345_678_901_234_567_891n;
const QUOTE = 5_018_705_500_123n;

/** What guardian and owner do, and the first liquidity. */
export function measureMarginRoles(): Promise<Figures> {
  return MarginChain.figures(SETTINGS, measureBootstrap, measureRoles);
}

async function measureRoles({ marginPool, timelock }: Protocol): Promise<Row[]> {
  const [pool, abi] = [await marginPool.getAddress(), marginPool.interface];
  const byTimelock = async (data: string): Promise<number> => {
    const operation = [pool, 0n, data, ZeroHash, ZeroHash] as const;
    await timelock.schedule(...operation, 0n);
    return gasOf(timelock.execute(...operation));
  };
  const guardian = await marginPool.guardian();
  const [now] = await marginPool.parameters();
  const next = {
    takerFeePpm: now.takerFeePpm - 37n,
    openInterestLimitBps: now.openInterestLimitBps - 431n,
    initialMarginFloorBps: now.initialMarginFloorBps + 29n,
    insuranceShareBps: now.insuranceShareBps + 73n,
  };
  const setParameters = abi.encodeFunctionData("setParameters", [next]);
  const setGuardian = abi.encodeFunctionData("setGuardian", [await timelock.getAddress()]);
  const transferOwnership = abi.encodeFunctionData("transferOwnership", [guardian]);
  return [
    ["pauseNewRisk", await gasOf(marginPool.pauseNewRisk())],
    ["unpauseNewRisk", await gasOf(marginPool.unpauseNewRisk())],
    ["setParameters by the timelock", await byTimelock(setParameters)],
    ["setGuardian by the timelock", await byTimelock(setGuardian)],
    ["transferOwnership by the timelock", await byTimelock(transferOwnership)],
    ["acceptOwnership", await gasOf(marginPool.acceptOwnership())],
    ["renounceOwnership", await gasOf(marginPool.renounceOwnership())],
  ];
}

async function measureBootstrap(margin: MarginChain): Promise<Row[]> {
  const { chain, base, pool, user } = margin;
  await chain.send(
    call(base, "mint", [user, 2n * BASE]),
    call(base, "approve", [pool.address, BASE]),
  );
  await margin.publish(PRICE);
  return [["bootstrap", await margin.byUser("bootstrap", BASE, QUOTE)]];
}

async function gasOf(sent: Promise<ContractTransactionResponse>): Promise<number> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("a transaction was not mined");
  return Number(receipt.gasUsed);
}
