import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { expect } from "chai";
import { Interface, zeroPadValue } from "ethers";
import { artifacts, globalOptions, network } from "hardhat";
import { ACCESS_DOCUMENT, accessDocument, isView } from "../../src/access/document.ts";
import { ACCESS, LINKED, OWN_ROLE, ROLES, type Role, type Rule } from "../../src/access/matrix.ts";
import { CALLS, prepareCall, type Transaction } from "./calls.ts";
import { createWorld, type World } from "./world.ts";

const PRODUCTION = /^contracts\/(?!mocks\/|interfaces\/)/;
const ALLOWED = "allowed";
/** Given, so that a call is made even if it reverts. */
const GAS_LIMIT = 10_000_000n;

/** Names of what is deployed: every contract outside of mocks and interfaces that has code. */
async function productionContracts(): Promise<string[]> {
  const names = [...(await artifacts.getAllFullyQualifiedNames())].filter((name) =>
    PRODUCTION.test(name),
  );
  const found = await Promise.all(names.map((name) => artifacts.readArtifact(name)));
  return found.filter(({ bytecode }) => bytecode !== "0x").map(({ contractName }) => contractName);
}

/** Signatures of what may change state, the receiver of ether among them. */
async function changingFunctions(contract: string): Promise<string[]> {
  const { abi } = await artifacts.readArtifact(contract);
  const functions = new Interface(abi).fragments
    .filter((fragment) => fragment.type === "function")
    .map((fragment) => ({
      signature: fragment.format("sighash"),
      stateMutability: "stateMutability" in fragment ? String(fragment.stateMutability) : undefined,
    }))
    .filter(({ stateMutability }) => !isView(stateMutability))
    .map(({ signature }) => signature);
  const others = (abi as readonly { type: string }[])
    .filter(({ type }) => type === "receive" || type === "fallback")
    .map(({ type }) => `${type}()`);
  return [...functions, ...others];
}

/** What the compiler said about a build: large, and the same for many contracts. */
const outputs = new Map<string, ReturnType<typeof JSON.parse>>();

/** Selectors of a library's functions by name, those with storage arguments among them, which no ABI has. */
async function libraryFunctions(library: string): Promise<Record<string, string>> {
  const { buildInfoId, inputSourceName } = await artifacts.readArtifact(library);
  if (!outputs.has(buildInfoId!)) {
    const path = await artifacts.getBuildInfoOutputPath(buildInfoId!);
    outputs.set(buildInfoId!, JSON.parse(readFileSync(path!, "utf8")).output);
  }
  const { methodIdentifiers } = outputs.get(buildInfoId!).contracts[inputSourceName!][library].evm;
  return Object.fromEntries(
    Object.entries(methodIdentifiers).map(([signature, selector]) => [
      signature.replace(/\(.*$/, ""),
      `0x${selector}`,
    ]),
  );
}

/** The data with which a call reverted, undefined when whatever was thrown has none. */
function revertData(thrown: unknown): string | undefined {
  for (let next = thrown; typeof next === "object" && next !== null; ) {
    const { data, cause } = next as Record<string, unknown>;
    if (typeof data === "string" && data.startsWith("0x")) return data;
    next = data ?? cause;
  }
  return undefined;
}

describe("The access matrix", () => {
  let world: World;
  let roleOf: Map<string, string>;
  let errors: Interface;

  before(async () => {
    world = await createWorld(await network.create());
    roleOf = new Map(Object.entries(world.roles).map(([role, { address }]) => [address, role]));
    errors = new Interface(
      Object.values(world.contracts).flatMap(({ interface: abi }) =>
        abi.fragments.filter(({ type }) => type === "error"),
      ),
    );
  });

  after(async () => {
    await world.connection.close();
  });

  it("has every contract that is deployed, and no other", async () => {
    const withFunctions: string[] = [];
    for (const name of await productionContracts())
      if ((await artifacts.readArtifact(name)).abi.some(({ type }) => type === "function"))
        withFunctions.push(name);
    expect(withFunctions.sort()).to.deep.equal(Object.keys(ACCESS).sort());
  });

  for (const [contract, functions] of Object.entries(ACCESS)) {
    it(`has every function of ${contract} that may change state, and no other`, async () => {
      const expected = (await changingFunctions(contract)).sort();
      expect(Object.keys(functions).sort()).to.deep.equal(expected);
      expect(Object.keys(CALLS[contract] ?? {}).sort()).to.deep.equal(expected);
    });
  }

  it(`is what ${ACCESS_DOCUMENT} says`, async () => {
    const file = fileURLToPath(new URL(`../../${ACCESS_DOCUMENT}`, import.meta.url));
    expect(readFileSync(file, "utf8"), "npm run access writes it anew").to.equal(
      await accessDocument(),
    );
  });

  /** What a caller meets: success, or the error with addresses told by role. */
  async function send(caller: HardhatEthersSigner, transaction: Transaction): Promise<string> {
    try {
      const { hash } = await caller.sendTransaction({ ...transaction, gasLimit: GAS_LIMIT });
      const receipt = await world.connection.ethers.provider.getTransactionReceipt(hash);
      return receipt?.status === 1 ? ALLOWED : "failed";
    } catch (thrown) {
      const data = revertData(thrown);
      const error = data === undefined ? null : errors.parseError(data);
      if (error === null) return data === undefined ? String(thrown) : `reverted with ${data}`;
      const told = error.args.map((value) => roleOf.get(value) ?? String(value));
      return `${error.name}(${told.join(", ")})`;
    }
  }

  /** What a role meets when it makes the matrix's call, which leaves no trace. */
  async function outcome(contract: string, signature: string, role: Role): Promise<string> {
    const snapshot = await world.connection.networkHelpers.takeSnapshot();
    try {
      const caller = world.roles[role];
      return await send(caller, await prepareCall(world, contract, signature, caller));
    } finally {
      await snapshot.restore();
    }
  }

  function expected({ allowed, error, instead = ALLOWED }: Rule, role: Role): string {
    return allowed === undefined || allowed.includes(role)
      ? instead
      : error.replace("caller", role);
  }

  it("shows success for all but the one function whose state takes a crash of the market", () => {
    const others = Object.values(ACCESS)
      .flatMap((functions) => Object.entries(functions))
      .filter(([, { instead }]) => instead !== undefined)
      .map(([signature]) => signature);
    expect(others).to.deep.equal(["autoDeleverage()"]);
  });

  for (const [contract, functions] of Object.entries(ACCESS)) {
    describe(contract, () => {
      const roles = (Object.keys(ROLES) as Role[]).filter((role) => role !== OWN_ROLE[contract]);
      for (const [signature, rule] of Object.entries(functions)) {
        const whose = rule.allowed === undefined ? "everyone" : `only ${rule.allowed.join(", ")}`;
        it(`${signature} is for ${whose}`, async () => {
          const met: Record<string, string> = {};
          for (const role of roles) {
            const told = await outcome(contract, signature, role);
            const isInstead = rule.instead !== undefined && told.startsWith(`${rule.instead}(`);
            met[role] = isInstead ? String(rule.instead) : told;
          }
          const wanted = Object.fromEntries(roles.map((role) => [role, expected(rule, role)]));
          expect(met).to.deep.equal(wanted);
        });
      }
    });
  }

  describe("what belongs to somebody else", () => {
    /** Calls of everyone's functions that would move the LP's shares without being asked to. */
    const thefts: [contract: string, signature: string, error: string][] = [
      [
        "MarginPool",
        "withdraw(uint256,address,address)",
        "ERC20InsufficientAllowance(caller, 0, ...)",
      ],
      [
        "MarginPool",
        "redeem(uint256,address,address)",
        "ERC20InsufficientAllowance(caller, 0, ...)",
      ],
      [
        "MarginPool",
        "transferFrom(address,address,uint256)",
        "ERC20InsufficientAllowance(caller, 0, ...)",
      ],
      ["ConstantProductPool", "transferFrom(address,address,uint256)", "InsufficientAllowance()"],
    ];
    for (const [contract, signature, error] of thefts) {
      it(`is out of reach of ${contract}.${signature}`, async () => {
        const target = world.contracts[contract]!;
        const [owner, thief] = [world.roles.lp.address, world.roles.stranger.address];
        const amount = 10n ** 7n;
        const args = signature.startsWith("transferFrom")
          ? [owner, thief, amount]
          : [amount, thief, owner];
        const data = target.interface.encodeFunctionData(signature, args);
        const met = await send(world.roles.stranger, {
          to: await target.getAddress(),
          data,
          value: 0n,
        });
        expect(met.replace(/, \d+\)$/, ", ...)")).to.equal(error.replace("caller", "stranger"));
      });
    }
  });

  describe("linked libraries", () => {
    before(function () {
      // Functions that count their own coverage are no views any more.
      if (globalOptions.coverage) this.skip();
    });

    it("are all listed, with every function", async () => {
      const found: Record<string, string[]> = {};
      for (const name of await productionContracts()) {
        if (name in ACCESS) continue;
        const functions = Object.keys(await libraryFunctions(name)).sort();
        if (functions.length > 0) found[name] = functions;
      }
      const listed = Object.entries(LINKED).map(([name, functions]) => [
        name,
        Object.keys(functions).sort(),
      ]);
      expect(found).to.deep.equal(Object.fromEntries(listed));
    });

    for (const [library, functions] of Object.entries(LINKED)) {
      it(`${library} refuses calls at its own address that would change state, and keeps nothing`, async () => {
        const { ethers } = world.connection;
        const contract = await ethers.deployContract(library);
        const address = await contract.getAddress();
        const selectors = await libraryFunctions(library);
        // Storage at slot 0, then the configuration of the margin pool, then nothing but zeros.
        const word = (value: bigint | string) => ethers.toBeHex(value, 32).slice(2);
        const oracle = await world.volatilityOracle.getAddress();
        const [scaleBase, scaleQuote, weight] = [1n, 10n ** 12n, 10n ** 18n / 2n];
        const config = [zeroPadValue(oracle, 32).slice(2)]
          .concat([scaleBase, scaleQuote, weight, 0n].map(word))
          .join("");
        const met: Record<string, string> = {};
        for (const [name, selector] of Object.entries(selectors)) {
          const data = `${selector}${word(0n)}${config}${word(0n).repeat(8)}`;
          try {
            await world.roles.stranger.sendTransaction({ to: address, data, gasLimit: GAS_LIMIT });
            met[name] = "view";
          } catch (thrown) {
            met[name] = revertData(thrown) === "0x" ? "refused" : "view";
          }
        }
        expect(met).to.deep.equal(functions);
        for (let slot = 0; slot < 24; slot++)
          expect(await ethers.provider.getStorage(address, slot)).to.equal(`0x${word(0n)}`);
        expect(await ethers.provider.getBalance(address)).to.equal(0n);
      });
    }
  });
});
