import { createRequire } from "node:module";
import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";
import { quietDependencies } from "./scripts/quietDependencies.ts";

/** `npm run test:deep` raises every campaign from a quick pass to its full counts. */
const deep = process.env.BALLAST_DEEP === "1";

/** @param runs optimizer runs: higher favors gas per call over bytecode size */
const compilerFor = (runs: number) => ({
  version: "0.8.37",
  // The compiler from npm: Hardhat would otherwise download one, and no build would work offline.
  path: createRequire(import.meta.url).resolve("solc/soljson.js"),
  settings: {
    viaIR: true,
    optimizer: { enabled: true, runs },
    // The oldest target with transient storage, so that the bytecode runs on the most chains.
    evmVersion: "cancun",
    // Without the hash, bytecode depends on the code alone, not on comments or file paths.
    metadata: { bytecodeHash: "none" },
  },
});

/** What is called most has room for more bytecode. The pool's is part of the factory's, and creating a pool pays for it. */
const MORE_RUNS: Record<string, number> = {
  "contracts/pool/ConstantProductPool.sol": 1_000,
  "contracts/pool/PoolFactory.sol": 1_000,
  "contracts/periphery/Router.sol": 1_000_000,
  "contracts/margin/ShareLogic.sol": 100_000,
};

const compilers = {
  compilers: [compilerFor(200)],
  overrides: Object.fromEntries(
    Object.entries(MORE_RUNS).map(([file, runs]) => [file, compilerFor(runs)]),
  ),
};

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers, quietDependencies],
  solidity: {
    // Profiles don't inherit from each other; both must name the compiler's path.
    profiles: { default: compilers, production: compilers },
    // The owner of a margin pool, deployed as it is.
    npmFilesToBuild: ["@openzeppelin/contracts/governance/TimelockController.sol"],
  },
  paths: {
    sources: "./contracts",
    tests: { mocha: "./test", solidity: "./test" },
    ignition: "./deploy",
  },
  // TypeChain emits namespaces, which `erasableSyntaxOnly` forbids: import from there with `import type` only.
  typechain: { outDir: "./typechain-types", tsNocheck: true },
  networks: {
    default: {
      type: "edr-simulated",
      chainType: "l1",
      allowUnlimitedContractSize: false,
      blockGasLimit: 60_000_000,
      // First come, first served: a test or simulation decides the order within a block.
      mining: { auto: true, mempool: { order: "fifo" } },
    },
  },
  test: {
    // Files share nothing, so two run at a time.
    mocha: { timeout: deep ? 3_600_000 : 120_000, parallel: true, jobs: 2 },
    solidity: {
      fuzz: { seed: "0xba11a57", runs: deep ? 10_000 : 256 },
      invariant: { runs: deep ? 256 : 16, depth: deep ? 256 : 64, failOnRevert: false },
    },
  },
});
