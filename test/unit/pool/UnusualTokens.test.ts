import { expect } from "chai";
import { network } from "hardhat";
import type {
  MockDishonestERC20,
  MockERC20,
  MockFeeOnTransferERC20,
  MockRebasingERC20,
  MockSurchargeERC20,
} from "../../../typechain-types/index.ts";
import { createPool, deployFactory, FAR_DEADLINE, fund, v2AmountOut } from "./poolFixture.ts";
import {
  AMOUNT,
  NAMES,
  type Operation,
  outcomeOf,
  type PoolState,
  poolWith,
  RESERVE,
  stateOf,
  type UnusualPool,
} from "./unusualTokenFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture, takeSnapshot } = networkHelpers;

const WAD = 10n ** 18n;
/** Selling the unusual token by the native functions, which must receive all they asked for. */
const PULLS = ["swapExactInput in", "swapExactOutput in", "two pools in", "addLiquidity"] as const;
/** Paying the unusual token out by the native functions. */
const PAYS = [
  ...(["swapExactInput out", "swapExactOutput out", "two pools out"] as const),
  ...(["swapPrefunded out", "removeLiquidity"] as const),
] as const;

/** How a token behaves, and what becomes of each operation; those not named are done, and the pool keeps its promises. */
interface Kind {
  readonly deploy: () => Promise<MockERC20>;
  readonly misbehave: (setup: UnusualPool) => Promise<unknown>;
  readonly refused?: Partial<Record<Operation, string | readonly string[]>>;
  /** Done, but the token itself takes from the pool: its balance falls below the reserve, or k / supply^2 with it. */
  readonly costsHolders?: readonly Operation[];
}

const all = (operations: readonly Operation[], outcome: string | readonly string[]) =>
  Object.fromEntries(operations.map((operation) => [operation, outcome]));

const named = (contract: string, ...rest: unknown[]) =>
  ethers.deployContract(contract, [
    "Unusual",
    "UNU",
    18n,
    ...rest,
  ]) as unknown as Promise<MockERC20>;
const as = <T>({ unusual }: UnusualPool): T => unusual as unknown as T;

const dishonest = (transfers: bigint) => ({
  deploy: () => named("MockDishonestERC20"),
  misbehave: (setup: UnusualPool) => as<MockDishonestERC20>(setup).setTransfers(transfers),
});
const silent = (balances: bigint, invented = 0n) => ({
  deploy: () => named("MockDishonestERC20"),
  misbehave: (setup: UnusualPool) =>
    as<MockDishonestERC20>(setup).setBalances(balances, setup.poolAddress, invented),
});
const UNANSWERED = ["BalanceUnknown", "BalanceBelowReserve"];
const NOT_PAID_OUT = all([...PAYS, "burn", "swap out", "skim"], "TransferFailed");
const NO_BALANCE = all(
  [...PULLS, "swapPrefunded in", "mint", "burn", "swap in", "swap out", "skim", "sync"],
  UNANSWERED,
);

const KINDS: Record<string, Kind> = {
  "take a fee on transfer from the receiver": {
    deploy: () => named("MockFeeOnTransferERC20", 0n),
    misbehave: (setup) => as<MockFeeOnTransferERC20>(setup).setTransferTax(35_000n),
    refused: all(PULLS, "BalanceBelowReserve"),
  },
  "take a fee from the sender on top": {
    deploy: () => named("MockSurchargeERC20"),
    misbehave: (setup) => as<MockSurchargeERC20>(setup).setSurcharge(20_000n),
    refused: { "swap out": "InvariantBroken" },
    costsHolders: [...PAYS, "burn", "skim"],
  },
  "deliver a unit less, as shares round": {
    deploy: async () => {
      const token = await named("MockRebasingERC20");
      await (token as unknown as MockRebasingERC20).setIndex(3n * WAD);
      return token;
    },
    misbehave: async () => {},
    refused: {
      ...all(["swapExactInput in", "two pools in"], "BalanceBelowReserve"),
      // What these ask for may happen to be whole shares.
      ...all(["swapExactOutput in", "addLiquidity"], ["BalanceBelowReserve", "done"]),
    },
  },
  "grow all balances": {
    deploy: () => named("MockRebasingERC20"),
    misbehave: (setup) => as<MockRebasingERC20>(setup).setIndex(WAD + WAD / 10n),
  },
  "answer false and move nothing": {
    ...dishonest(1n),
    refused: {
      ...NOT_PAID_OUT,
      ...all(PULLS, "TransferFromFailed"),
      ...{ "swapPrefunded in": "ZeroOutput", mint: "ZeroLiquidity", "swap in": "ZeroAmount" },
    },
  },
  "answer false though they move": {
    ...dishonest(2n),
    refused: { ...NOT_PAID_OUT, ...all(PULLS, "TransferFromFailed") },
  },
  "answer 2 though they move": {
    ...dishonest(4n),
    refused: { ...NOT_PAID_OUT, ...all(PULLS, "TransferFromFailed") },
  },
  "answer true and move nothing": {
    ...dishonest(3n),
    refused: {
      ...all(PULLS, "BalanceBelowReserve"),
      ...{ "swapPrefunded in": "ZeroOutput", mint: "ZeroLiquidity", "swap in": "ZeroAmount" },
    },
  },
  "refuse to tell balances": { ...silent(1n), refused: NO_BALANCE },
  "tell balances without saying anything": { ...silent(2n), refused: NO_BALANCE },
  "claim the largest balance there is": {
    ...silent(3n, 2n ** 256n - 1n),
    refused: {
      ...all(
        ["swapPrefunded in", "mint", "burn", "swap in", "swap out", "sync"],
        "ReserveOverflow",
      ),
      ...{ burn: "MulDivFailed", skim: "TransferFailed" },
    },
  },
  "lose their code": {
    deploy: () => named("MockERC20"),
    misbehave: ({ unusual }) => networkHelpers.setCode(unusual.target as string, "0x"),
    refused: {
      ...all(["swapPrefunded in", "mint", "burn", "sync", "swap in", "skim"], UNANSWERED),
      ...all([...PULLS], "TransferFromFailed"),
      ...all([...PAYS, "swap out"], "TransferFailed"),
    },
  },
};

/** k / supply^2 has not fallen. */
function keepsValue(before: PoolState, after: PoolState): boolean {
  const k = before.reserveUnusual * before.reservePlain;
  const newK = after.reserveUnusual * after.reservePlain;
  return newK * before.supply ** 2n >= k * after.supply ** 2n;
}

/** The pool holds what its books say. */
const isCovered = ({ heldUnusual, heldPlain, ...reserves }: PoolState) =>
  (heldUnusual === undefined || heldUnusual >= reserves.reserveUnusual) &&
  heldPlain >= reserves.reservePlain;

/** What bob got is no more than what the pool gave up in its books and what nobody had booked. */
function expectNoGift(before: PoolState, after: PoolState, label: string): void {
  const positive = (value: bigint) => (value > 0n ? value : 0n);
  const unbooked = positive((before.heldUnusual ?? 0n) - before.reserveUnusual);
  const given = positive(before.reserveUnusual - after.reserveUnusual) + unbooked;
  expect(after.bobUnusual - before.bobUnusual <= given, `${label}: unusual token`).to.equal(true);
  const givenPlain = positive(before.reservePlain - after.reservePlain);
  expect(after.bobPlain - before.bobPlain <= givenPlain, `${label}: plain token`).to.equal(true);
}

describe("Tokens that", () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    it(`${name} get no more out of any function than k allows, and are refused by name`, async () => {
      const setup = await poolWith(ethers, await kind.deploy());
      await kind.misbehave(setup);
      const before = await stateOf(setup);
      for (const operation of NAMES) {
        const snapshot = await takeSnapshot();
        const outcome = await outcomeOf(setup, operation);
        const expected = [kind.refused?.[operation] ?? "done"].flat();
        expect(expected, `${operation} ended with ${outcome}`).to.include(outcome);
        if (outcome === "done") {
          const after = await stateOf(setup);
          expectNoGift(before, after, operation);
          const sound = keepsValue(before, after) && isCovered(after);
          const costs = kind.costsHolders?.includes(operation) ?? false;
          expect(sound, `${operation} keeps the value of the pool`).to.equal(!costs);
        }
        await snapshot.restore();
      }
    });
  }

  it("lie about the pool's balance spoil their own pool alone", async () => {
    const setup = await poolWith(ethers, await named("MockDishonestERC20"));
    const { pool, nextPool, unusual, plain, third, bob } = setup;
    const otherBefore = [await plain.balanceOf(nextPool), await third.balanceOf(nextPool)];
    await as<MockDishonestERC20>(setup).setBalances(3n, setup.poolAddress, RESERVE * 1000n);
    const before = await stateOf(setup);
    await pool.connect(bob).swapPrefunded(unusual, 0n, bob);
    const after = await stateOf(setup);
    expect(keepsValue(before, after), "k by the pool's books").to.equal(true);
    expect(after.bobPlain - before.bobPlain).to.equal(
      v2AmountOut(
        RESERVE * 1000n - before.reserveUnusual,
        before.reserveUnusual,
        before.reservePlain,
      ),
    );
    expect([await plain.balanceOf(nextPool), await third.balanceOf(nextPool)]).to.deep.equal(
      otherBefore,
    );
  });

  describe("have shrunk the pool's balance", () => {
    /** The unusual token has taken a third of what the pool held; everyone else's balance is as before. */
    async function shrunk() {
      const setup = await poolWith(ethers, await named("MockFeeOnTransferERC20", 0n));
      await as<MockFeeOnTransferERC20>(setup).shrink(setup.poolAddress, RESERVE / 3n);
      return setup;
    }

    it("are refused by whatever measures them, until a sync", async () => {
      const setup = await loadFixture(shrunk);
      for (const [operation, outcome] of Object.entries({
        ...all([...PULLS, "swapPrefunded in", "mint", "skim"], "BalanceBelowReserve"),
        ...{ "swap in": "ZeroAmount", "swap out": "InvariantBroken" },
      })) {
        const snapshot = await takeSnapshot();
        expect(await outcomeOf(setup, operation as Operation), operation).to.equal(outcome);
        await snapshot.restore();
      }
    });

    it("are sent out as booked, at no better than the booked k, until a sync", async () => {
      const setup = await loadFixture(shrunk);
      const { reserveUnusual, reservePlain } = await stateOf(setup);
      for (const operation of PAYS.filter((each) => each !== "removeLiquidity")) {
        const snapshot = await takeSnapshot();
        expect(await outcomeOf(setup, operation), operation).to.equal("done");
        const after = await stateOf(setup);
        expect(
          after.reserveUnusual * after.reservePlain >= reserveUnusual * reservePlain,
          `booked k after ${operation}`,
        ).to.equal(true);
        await snapshot.restore();
      }
    });

    it("are withdrawn by shares of the booked reserves: who leaves before a sync leaves the loss behind", async () => {
      const setup = await loadFixture(shrunk);
      const { pool, unusual, alice, bob } = setup;
      const owned = await pool.balanceOf(alice);
      const { reserveUnusual } = await stateOf(setup);
      const share = (reserveUnusual * owned) / (await pool.totalSupply());
      await expect(
        pool.connect(alice).removeLiquidity(owned, 0n, 0n, bob, FAR_DEADLINE),
      ).to.changeTokenBalance(ethers, unusual, bob, share);
    });

    it("trade and leave again after a sync, by what is left", async () => {
      const setup = await loadFixture(shrunk);
      const { pool, plain, unusual, alice, bob } = setup;
      const left = await unusual.balanceOf(pool);
      const { reserveUnusual, reservePlain } = await stateOf(setup);
      await pool.sync();
      const out = v2AmountOut(AMOUNT, reservePlain, left);
      expect(left < reserveUnusual).to.equal(true);
      expect(await pool.getAmountOut(plain, AMOUNT)).to.equal(out);
      for (const operation of NAMES) {
        const snapshot = await takeSnapshot();
        const before = await stateOf(setup);
        expect(await outcomeOf(setup, operation), operation).to.equal("done");
        const after = await stateOf(setup);
        expect(keepsValue(before, after) && isCovered(after), operation).to.equal(true);
        await snapshot.restore();
      }
      const [owned, supply] = [await pool.balanceOf(alice), await pool.totalSupply()];
      const before = await unusual.balanceOf(bob);
      await pool.connect(alice).removeLiquidity(owned, 0n, 0n, bob, FAR_DEADLINE);
      expect((await unusual.balanceOf(bob)) - before).to.equal((left * owned) / supply);
    });

    it("pay by burn what is left, to every holder its share", async () => {
      const setup = await loadFixture(shrunk);
      const { pool, unusual, alice, bob } = setup;
      const [owned, supply] = [await pool.balanceOf(alice), await pool.totalSupply()];
      const [left, before] = [await unusual.balanceOf(pool), await unusual.balanceOf(bob)];
      await pool.connect(alice).transfer(pool, owned);
      await pool.burn(bob);
      expect((await unusual.balanceOf(bob)) - before).to.equal((left * owned) / supply);
    });
  });

  it("return nothing from transfers work", async () => {
    const [deployer, alice] = await ethers.getSigners();
    const factory = await deployFactory(ethers, 3000n);
    const wordless = await ethers.deployContract("MockNoReturnERC20");
    const plain = await ethers.deployContract("MockERC20", ["Plain", "PLAIN", 18n]);
    const { pool, poolAddress } = await createPool(ethers, factory, wordless, plain);
    await wordless.mint(deployer!, 10n ** 15n);
    await wordless.approve(poolAddress, 10n ** 15n);
    await fund(ethers, plain, poolAddress);
    await pool.addLiquidity(10n ** 12n, 10n ** 12n, 0n, 0n, deployer!, FAR_DEADLINE);
    const out = v2AmountOut(10n ** 9n, 10n ** 12n, 10n ** 12n);
    await pool.swapExactInput(wordless, 10n ** 9n, out, alice!, FAR_DEADLINE);
    await pool.swapExactInput(plain, 10n ** 9n, 0n, alice!, FAR_DEADLINE);
    await pool.removeLiquidity(10n ** 9n, 0n, 0n, alice!, FAR_DEADLINE);
    expect((await wordless.balanceOf(alice!)) > 0n).to.equal(true);
  });
});
