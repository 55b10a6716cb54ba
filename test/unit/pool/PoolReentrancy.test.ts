import { expect } from "chai";
import { network } from "hardhat";
import { createPool, FAR_DEADLINE, MAX_RESERVE } from "./poolFixture.ts";
import {
  AMOUNT,
  NAMES,
  OPERATIONS,
  type Operation,
  pay,
  poolWith,
  RESERVE,
  type UnusualPool,
} from "./unusualTokenFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture, takeSnapshot } = networkHelpers;

/** A pool whose first token calls out on every transfer. */
async function hooked() {
  const hook = await ethers.deployContract("MockHookERC20", ["Hook", "HOOK", 18n]);
  return { ...(await poolWith(ethers, hook)), hook };
}

/** Every function of the pool that must not run, or be read, while it is at work. */
function lockedCalls({ pool, unusual, plain, third, bob }: UnusualPool): Record<string, string> {
  const encode = pool.interface.encodeFunctionData.bind(pool.interface) as (
    name: string,
    values?: readonly unknown[],
  ) => string;
  const [token, other, to] = [unusual.target, plain.target, bob.address];
  const calls: Record<string, readonly unknown[]> = {
    swapExactInput: [token, 9n, 0n, to, FAR_DEADLINE],
    swapExactOutput: [token, 9n, 99n, to, FAR_DEADLINE],
    swapExactInputAcrossTwoPools: [token, third.target, 9n, 0n, to, FAR_DEADLINE],
    swapPrefunded: [other, 0n, to],
    addLiquidity: [9n, 9n, 0n, 0n, to, FAR_DEADLINE],
    removeLiquidity: [9n, 0n, 0n, to, FAR_DEADLINE],
    mint: [to],
    burn: [to],
    swap: [1n, 0n, to, "0x"],
    skim: [to],
    sync: [],
    getReserves: [],
    getAmountOut: [token, 9n],
    getAmountIn: [token, 9n],
    swapFee: [],
    observe: [],
  };
  return Object.fromEntries(
    Object.entries(calls).map(([name, values]) => [name, encode(name, values)]),
  );
}

/** Functions that may be called at any time: constants and the LP token, which moves apart from the reserves. */
const OPEN = [
  ...["DOMAIN_SEPARATOR", "MINIMUM_LIQUIDITY", "PERMIT_TYPEHASH", "allowance", "approve"],
  ...["balanceOf", "decimals", "factory", "kLast", "name", "nonces", "permit", "symbol"],
  ...["token0", "token1", "totalSupply", "transfer", "transferFrom"],
];

/** The others move the token before the pool runs, or not at all. */
const CALLING = NAMES.filter(
  (name) => !(["swapPrefunded in", "swap in", "mint", "sync"] as Operation[]).includes(name),
);

describe("A pool at work", () => {
  it("is locked in every function but those of the LP token and the constants", async () => {
    const setup = await loadFixture(hooked);
    const names = setup.pool.interface.fragments
      .filter((fragment) => fragment.type === "function")
      .map((fragment) => (fragment as unknown as { name: string }).name);
    expect(names.sort()).to.deep.equal([...Object.keys(lockedCalls(setup)), ...OPEN].sort());
  });

  for (const early of [true, false]) {
    const moment = early ? "before" : "after";
    for (const operation of CALLING) {
      it(`lets nobody in ${moment} a token moves during ${operation}, neither to act nor to read`, async () => {
        const setup = await loadFixture(hooked);
        const { pool, poolAddress, hook } = setup;
        const locked = pool.interface.getError("ReentrancyGuardReentrantCall")!.selector;
        await pay(setup, operation);
        for (const [name, data] of Object.entries(lockedCalls(setup))) {
          const snapshot = await takeSnapshot();
          await hook.arm(poolAddress, data, early);
          await OPERATIONS[operation].run(setup);
          expect(await hook.called(), `${operation} did not call out`).to.equal(true);
          expect(await hook.succeeded(), `${name} during ${operation}`).to.equal(false);
          expect(await hook.result(), `${name} during ${operation}`).to.equal(locked);
          await snapshot.restore();
        }
      });
    }
  }

  it("opens again when it is done, and after a refused operation", async () => {
    const setup = await loadFixture(hooked);
    const { pool, unusual, bob } = setup;
    for (const operation of NAMES) {
      await pay(setup, operation);
      await OPERATIONS[operation].run(setup);
      expect((await pool.getReserves())[0] > 0n).to.equal(true);
      await expect(
        pool.connect(bob).swapExactInput(unusual, AMOUNT, MAX_RESERVE, bob, FAR_DEADLINE),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_OutputBelowMinimum");
      expect((await pool.observe())[3] > 0n).to.equal(true);
    }
  });

  it("sends the middle of a chain where only the middle token itself could steal it, and then takes nothing", async () => {
    const setup = await loadFixture(hooked);
    const { factory, pool, hook, plain, third, deployer, alice, bob } = setup;
    const second = await createPool(ethers, factory, hook, third);
    await hook.transfer(second.pool, RESERVE);
    await third.transfer(second.pool, RESERVE);
    await second.pool.mint(deployer);
    const sell = () =>
      pool.connect(bob).swapExactInputAcrossTwoPools(plain, third, AMOUNT, 0n, bob, FAR_DEADLINE);
    const { interface: abi } = pool;
    for (const theft of [
      abi.encodeFunctionData("skim", [alice.address]),
      abi.encodeFunctionData("swapPrefunded", [hook.target, 0n, alice.address]),
      abi.encodeFunctionData("sync"),
    ]) {
      const snapshot = await takeSnapshot();
      const before = await plain.balanceOf(bob);
      await hook.arm(second.pool, theft, false);
      await expect(sell()).to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroOutput");
      expect(await plain.balanceOf(bob)).to.equal(before);
      // Before the middle has moved there is nothing to take.
      const bought = await third.balanceOf(bob);
      await hook.arm(second.pool, theft, true);
      await sell();
      expect(await hook.called()).to.equal(true);
      expect((await third.balanceOf(bob)) > bought).to.equal(true);
      await snapshot.restore();
    }
  });
});
