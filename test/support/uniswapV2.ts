// Uniswap V2 as its authors published it, compiled, and the same clients on the project's pools.
import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import { type BaseContract, ContractFactory, keccak256 } from "ethers";
import type { ContractCode } from "../../src/bench/gasChain.ts";
import { published } from "../../src/bench/publishedCode.ts";
import type { IPoolFactory } from "../../typechain-types/index.ts";
import { deployFactory } from "../unit/pool/poolFixture.ts";

export const V2_FEE = 3000n;

export const pairCode = published("@uniswap/v2-core/build/UniswapV2Pair.json");
export const factoryCode = published("@uniswap/v2-core/build/UniswapV2Factory.json");
export const routerCode = published("@uniswap/v2-periphery/build/UniswapV2Router02.json");
export const swapToPriceCode = published("@uniswap/v2-periphery/build/ExampleSwapToPrice.json");
export const wethCode = published("@uniswap/v2-periphery/build/WETH9.json");

/** The constant in clients that compute addresses of pairs: the hash of the creation code of every Uniswap V2 pair. */
export const PAIR_INIT_CODE_HASH = keccak256(pairCode.bytecode);

/** A client of Uniswap V2 for pools with another init code hash; all but those 32 bytes stays as it was published. */
export function withInitCodeHash(client: ContractCode, hash: string): ContractCode {
  const [theirs, ours] = [PAIR_INIT_CODE_HASH.slice(2), hash.slice(2)];
  return { ...client, bytecode: client.bytecode.replaceAll(theirs, ours) };
}

/** Deploys published code from the first signer. */
export async function deployCode(
  ethers: HardhatEthers,
  code: ContractCode,
  ...args: unknown[]
): Promise<BaseContract> {
  const [deployer] = await ethers.getSigners();
  const contract = await new ContractFactory(code.interface, code.bytecode, deployer!).deploy(
    ...args,
  );
  return contract.waitForDeployment();
}

/** Uniswap V2's factory; the project's interface names the functions that both have. */
export async function deployV2Factory(ethers: HardhatEthers): Promise<IPoolFactory> {
  const [deployer] = await ethers.getSigners();
  const factory = await deployCode(ethers, factoryCode, deployer!.address);
  return ethers.getContractAt("IPoolFactory", await factory.getAddress());
}

/** A factory with the published router for its pools. */
export interface Exchange {
  factory: IPoolFactory;
  router: BaseContract;
}

/** Uniswap V2 as published. */
export async function deployUniswapV2(ethers: HardhatEthers, weth: string): Promise<Exchange> {
  const factory = await deployV2Factory(ethers);
  const router = await deployCode(ethers, routerCode, await factory.getAddress(), weth);
  return { factory, router };
}

/** The project's pools with a fee of 0.3 %, under Uniswap V2's router. */
export async function deployBallast(ethers: HardhatEthers, weth: string): Promise<Exchange> {
  const factory = await deployFactory(ethers, V2_FEE);
  const code = withInitCodeHash(routerCode, await factory.poolInitCodeHash());
  const router = await deployCode(ethers, code, await factory.getAddress(), weth);
  return { factory, router };
}

/** Another exchange of the project's pools, under the project's own router. */
export async function deployBallastRouter(ethers: HardhatEthers, weth: string): Promise<Exchange> {
  const factory = await deployFactory(ethers, V2_FEE);
  const router = await ethers.deployContract("Router", [factory, weth]);
  return { factory, router };
}
