import { artifacts } from "hardhat";
import type { Snapshot } from "./figures.ts";

/** Bytes that the deployed code of a pool stays below: it is paid for anew with every pair. */
export const POOL_SIZE_LIMIT = 16_000;

/** What is left of a library whose functions are all internal: 16 bytes that nobody deploys. */
const EMPTY_LIBRARY_BYTES = 16;

/**
 * Bytes of deployed and of creation code of every contract outside `contracts/mocks/` that can be deployed, constructor
 * arguments not counted. Contracts must be built.
 */
export async function measureSizes(): Promise<Snapshot> {
  const names = [...(await artifacts.getAllFullyQualifiedNames())].filter(
    (name) => name.startsWith("contracts/") && !name.startsWith("contracts/mocks/"),
  );
  const sizes: Record<string, { deployed: number; creation: number }> = {};
  for (const name of names.sort()) {
    const { contractName, bytecode, deployedBytecode } = await artifacts.readArtifact(name);
    const deployed = bytesOf(deployedBytecode);
    if (deployed <= EMPTY_LIBRARY_BYTES) continue;
    if (Object.hasOwn(sizes, contractName))
      throw new Error(`two contracts are called ${contractName}`);
    sizes[contractName] = { deployed, creation: bytesOf(bytecode) };
  }
  return sizes;
}

/** Addresses of libraries to link stand in the code as placeholders of the same length. */
function bytesOf(code: string): number {
  return (code.length - "0x".length) / 2;
}
