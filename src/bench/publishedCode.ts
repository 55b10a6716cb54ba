import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Interface, keccak256 } from "ethers";
import { z } from "zod";
import type { ContractCode } from "./gasChain.ts";

const require = createRequire(import.meta.url);
const ARTIFACT = z.object({ abi: z.array(z.unknown()), bytecode: z.string() });

/**
 * A contract as its authors published it: nothing is compiled again.
 *
 * @param path package and file, for instance `@uniswap/v2-core/build/UniswapV2Pair.json`
 * @throws Error when the package is not installed or the file is no artifact
 */
export function published(path: string): ContractCode {
  const { abi, bytecode } = ARTIFACT.parse(JSON.parse(readFileSync(require.resolve(path), "utf8")));
  return {
    interface: new Interface(JSON.stringify(abi)),
    bytecode: bytecode.startsWith("0x") ? bytecode : `0x${bytecode}`,
  };
}

/**
 * Makes sure that a pool's published code is the one on the main network: routers compute pool addresses from its hash.
 *
 * @throws Error when the package contains other code
 */
export function requireInitCodeHash(code: ContractCode, name: string, expected: string): void {
  const hash = keccak256(code.bytecode);
  if (hash !== expected) throw new Error(`${name} has the init code hash ${hash}, not ${expected}`);
}
