import { readFileSync } from "node:fs";
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { network } from "hardhat";
import {
  deployPool,
  FAR_DEADLINE,
  MAX_RESERVE,
  reservesOf,
  sqrtDown,
  v2AmountIn,
} from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const E18 = 10n ** 18n;

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/uniswap_v2.json", import.meta.url), "utf8"),
) as {
  groups: {
    swap_exact_in_max_out: {
      cases: { amountIn: string; reserveIn: string; reserveOut: string; maxAmountOut: string }[];
    };
  };
};

const seeded = () => deployPool(ethers);
const empty = () => deployPool(ethers, { empty: true });

describe("ConstantProductPool by Uniswap V2's functions", () => {
  describe("Uniswap V2's pair functions", () => {
    it("mint gives the first depositor V2's figures", async () => {
      const { pool, poolAddress, token0, token1, alice } = await loadFixture(empty);
      await token0.transfer(poolAddress, E18);
      await token1.transfer(poolAddress, 4n * E18);
      await expect(pool.connect(alice).mint(alice))
        .to.emit(pool, "Mint")
        .withArgs(alice.address, E18, 4n * E18);
      expect(await pool.totalSupply()).to.equal(2_000_000_000_000_000_000n);
      expect(await pool.balanceOf(alice)).to.equal(1_999_999_999_999_999_000n);
    });

    it("mint counts the smaller share and leaves the excess to all holders", async () => {
      const { pool, poolAddress, token0, token1, reserve0, reserve1, alice } =
        await loadFixture(seeded);
      const supply = await pool.totalSupply();
      await token0.transfer(poolAddress, reserve0 / 2n);
      await token1.transfer(poolAddress, reserve1 / 3n);
      await pool.mint(alice);
      expect(await pool.balanceOf(alice)).to.equal(((reserve1 / 3n) * supply) / reserve1);
      expect(await reservesOf(pool)).to.deep.equal([
        reserve0 + reserve0 / 2n,
        reserve1 + reserve1 / 3n,
      ]);
    });

    it("mint refuses when a token is missing", async () => {
      const { pool, poolAddress, token0, alice } = await loadFixture(seeded);
      await token0.transfer(poolAddress, 10n ** 9n);
      await expect(pool.mint(alice))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_ZeroLiquidity")
        .withArgs(10n ** 9n, 0n);
    });

    it("burn of everything leaves V2's 500 and 2000 units behind the lock", async () => {
      const { pool, poolAddress, token0, token1, alice, bob } = await loadFixture(empty);
      await pool.connect(alice).addLiquidity(E18, 4n * E18, 0n, 0n, alice, FAR_DEADLINE);
      const before = await token0.balanceOf(bob);
      await pool.connect(alice).transfer(poolAddress, await pool.balanceOf(alice));
      await expect(pool.connect(alice).burn(bob))
        .to.emit(pool, "Burn")
        .withArgs(alice.address, E18 - 500n, 4n * E18 - 2000n, bob.address);
      expect((await token0.balanceOf(bob)) - before).to.equal(E18 - 500n);
      expect(await token0.balanceOf(poolAddress)).to.equal(500n);
      expect(await token1.balanceOf(poolAddress)).to.equal(2000n);
      expect(await pool.totalSupply()).to.equal(1000n);
      expect(await reservesOf(pool)).to.deep.equal([500n, 2000n]);
    });

    it("burn refuses when no LP tokens were sent", async () => {
      const { pool, alice } = await loadFixture(seeded);
      await expect(pool.burn(alice)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroOutput",
      );
    });

    for (const { amountIn, reserveIn, reserveOut, maxAmountOut } of vectors.groups
      .swap_exact_in_max_out.cases) {
      it(`swap pays ${maxAmountOut} for ${amountIn} on ${reserveIn} : ${reserveOut} and refuses one unit more`, async () => {
        const { pool, poolAddress, token0, deployer, alice } = await loadFixture(empty);
        await pool.addLiquidity(BigInt(reserveIn), BigInt(reserveOut), 0n, 0n, alice, FAR_DEADLINE);
        await token0.transfer(poolAddress, BigInt(amountIn));
        const out = BigInt(maxAmountOut);
        await expect(pool.swap(0n, out + 1n, alice, "0x"))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_InvariantBroken")
          .withArgs(
            BigInt(reserveIn) + BigInt(amountIn),
            BigInt(reserveOut) - out - 1n,
            BigInt(amountIn),
            0n,
            BigInt(reserveIn),
            BigInt(reserveOut),
          );
        await expect(pool.swap(0n, out, alice, "0x"))
          .to.emit(pool, "Swap")
          .withArgs(deployer.address, BigInt(amountIn), 0n, 0n, out, alice.address);
      });
    }

    it("swap takes back its own token when 0.3 % is added, and not a unit less", async () => {
      const { pool, poolAddress, token0, reserve0, alice } = await loadFixture(seeded);
      const out = reserve0 / 7n;
      const due = (out * 1000n + 996n) / 997n;
      await token0.transfer(poolAddress, due - 1n);
      await expect(pool.swap(out, 0n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
      await token0.transfer(poolAddress, 1n);
      await pool.swap(out, 0n, alice, "0x");
      expect(await token0.balanceOf(poolAddress)).to.equal(reserve0 - out + due);
    });

    it("swap refuses to pay 99 % of a reserve for one unit", async () => {
      const { pool, poolAddress, token0, reserve1, alice } = await loadFixture(seeded);
      await token0.transfer(poolAddress, 1n);
      await expect(
        pool.swap(0n, (reserve1 * 99n) / 100n, alice, "0x"),
      ).to.be.revertedWithCustomError(pool, "ConstantProductPool_InvariantBroken");
    });

    it("swap refuses no output, outputs of a whole reserve, and outputs for nothing", async () => {
      const { pool, reserve0, reserve1, alice } = await loadFixture(seeded);
      await expect(pool.swap(0n, 0n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroOutput",
      );
      await expect(pool.swap(reserve0, 0n, alice, "0x"))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_InsufficientReserve")
        .withArgs(reserve0, reserve0);
      await expect(pool.swap(0n, reserve1, alice, "0x"))
        .to.be.revertedWithCustomError(pool, "ConstantProductPool_InsufficientReserve")
        .withArgs(reserve1, reserve1);
      await expect(pool.swap(5n, 7n, alice, "0x")).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_ZeroAmount",
      );
    });

    it("skim sends the excess and sync books it", async () => {
      const { pool, poolAddress, token0, token1, reserve0, reserve1, bob } =
        await loadFixture(seeded);
      await token0.transfer(poolAddress, 111n);
      await token1.transfer(poolAddress, 222n);
      const [before0, before1] = [await token0.balanceOf(bob), await token1.balanceOf(bob)];
      await pool.skim(bob);
      expect((await token0.balanceOf(bob)) - before0).to.equal(111n);
      expect((await token1.balanceOf(bob)) - before1).to.equal(222n);
      expect(await reservesOf(pool)).to.deep.equal([reserve0, reserve1]);

      await token0.transfer(poolAddress, 333n);
      await expect(pool.sync())
        .to.emit(pool, "Sync")
        .withArgs(reserve0 + 333n, reserve1);
      expect(await reservesOf(pool)).to.deep.equal([reserve0 + 333n, reserve1]);
    });

    it("swap sends nothing to the pool's tokens", async () => {
      const { pool, token0, token1 } = await loadFixture(seeded);
      for (const to of [token0, token1]) {
        await expect(pool.swap(1n, 0n, to, "0x"))
          .to.be.revertedWithCustomError(pool, "ConstantProductPool_InvalidRecipient")
          .withArgs(await to.getAddress());
      }
    });

    it("what is sent to the pool itself is a gift to it, by every function", async () => {
      const { pool, poolAddress, token0, token1, reserve0, reserve1, deployer } =
        await loadFixture(seeded);
      const sent = reserve0 / 1000n;
      const send = (token: typeof token0) => token.transfer(poolAddress, sent);
      for (const [name, prepare, give] of [
        [
          "swapExactInput",
          async () => {},
          () => pool.swapExactInput(token0, sent, 0n, poolAddress, FAR_DEADLINE),
        ],
        [
          "swapExactOutput",
          async () => {},
          () => pool.swapExactOutput(token1, sent, MAX_RESERVE, poolAddress, FAR_DEADLINE),
        ],
        ["swapPrefunded", () => send(token0), () => pool.swapPrefunded(token0, 0n, poolAddress)],
        [
          "addLiquidity",
          async () => {},
          () => pool.addLiquidity(reserve0, reserve1, 0n, 0n, poolAddress, FAR_DEADLINE),
        ],
        [
          "removeLiquidity",
          async () => {},
          () => pool.removeLiquidity(10n ** 12n, 0n, 0n, poolAddress, FAR_DEADLINE),
        ],
        ["burn", () => pool.transfer(poolAddress, 10n ** 12n), () => pool.burn(poolAddress)],
        ["swap", () => send(token0), () => pool.swap(1n, 0n, poolAddress, "0x")],
        ["skim", () => send(token0), () => pool.skim(poolAddress)],
      ] as const) {
        const snapshot = await networkHelpers.takeSnapshot();
        await prepare();
        const owned = await pool.balanceOf(deployer);
        const supply = await pool.totalSupply();
        await give();
        const [x, y] = await reservesOf(pool);
        const newSupply = await pool.totalSupply();
        expect(
          x * y * supply ** 2n >= reserve0 * reserve1 * newSupply ** 2n,
          `k / supply^2 falls by ${name}`,
        ).to.equal(true);
        expect((await token0.balanceOf(poolAddress)) >= x, name).to.equal(true);
        expect((await token1.balanceOf(poolAddress)) >= y, name).to.equal(true);
        expect((await pool.balanceOf(deployer)) <= owned, name).to.equal(true);
        await snapshot.restore();
      }
      await expect(pool.swap(1n, 0n, poolAddress, "0x00")).to.be.revert(ethers);
    });
  });

  describe("flash swaps", () => {
    async function withBorrower() {
      const setup = await seeded();
      const borrower = await ethers.deployContract("MockFlashSwapCallee");
      await setup.token0.transfer(borrower, 10n ** 30n / 2n);
      await setup.token1.transfer(borrower, 10n ** 30n / 2n);
      return { ...setup, borrower };
    }

    it("hand the output to the borrower before it pays, and tell it who called and how much", async () => {
      const { pool, poolAddress, borrower, reserve0, reserve1 } = await loadFixture(withBorrower);
      const out = reserve1 / 10n;
      const due = v2AmountIn(out, reserve0, reserve1);
      await borrower.arm(due, 0n, ZeroAddress, "0x");
      const address = await borrower.getAddress();
      await expect(borrower.borrow(pool, 0n, out))
        .to.emit(borrower, "Called")
        .withArgs(poolAddress, address, 0n, out);
      expect(await reservesOf(pool)).to.deep.equal([reserve0 + due, reserve1 - out]);
    });

    it("are refused when the payment is two units short of the quote", async () => {
      const { pool, borrower, reserve0, reserve1 } = await loadFixture(withBorrower);
      const out = reserve1 / 10n;
      const due = v2AmountIn(out, reserve0, reserve1);
      await borrower.arm(due - 2n, 0n, ZeroAddress, "0x");
      await expect(borrower.borrow(pool, 0n, out)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
    });

    it("of both tokens at once must bring back both with the fee on each", async () => {
      const { pool, borrower, reserve0, reserve1 } = await loadFixture(withBorrower);
      const [out0, out1] = [reserve0 / 11n, reserve1 / 13n];
      await borrower.arm(out0, out1, ZeroAddress, "0x");
      await expect(borrower.borrow(pool, out0, out1)).to.be.revertedWithCustomError(
        pool,
        "ConstantProductPool_InvariantBroken",
      );
      const [due0, due1] = [(out0 * 1000n + 996n) / 997n, (out1 * 1000n + 996n) / 997n];
      await borrower.arm(due0, due1, ZeroAddress, "0x");
      await borrower.borrow(pool, out0, out1);
      expect(await reservesOf(pool)).to.deep.equal([
        reserve0 - out0 + due0,
        reserve1 - out1 + due1,
      ]);
    });

    it("lock every function that changes state and every price, until they end", async () => {
      const { pool, poolAddress, borrower, token0, reserve0, reserve1, alice } =
        await loadFixture(withBorrower);
      const locked = pool.interface.getError("ReentrancyGuardReentrantCall")!.selector;
      const tokenIn = await token0.getAddress();
      const deadline = FAR_DEADLINE;
      const out = reserve1 / 1000n;
      const due = v2AmountIn(out, reserve0, reserve1);
      const to = alice.address;
      const calls = [
        pool.interface.encodeFunctionData("swapExactInput", [tokenIn, 9n, 0n, to, deadline]),
        pool.interface.encodeFunctionData("swapExactOutput", [tokenIn, 9n, 99n, to, deadline]),
        pool.interface.encodeFunctionData("addLiquidity", [9n, 9n, 0n, 0n, to, deadline]),
        pool.interface.encodeFunctionData("removeLiquidity", [9n, 0n, 0n, to, deadline]),
        pool.interface.encodeFunctionData("mint", [to]),
        pool.interface.encodeFunctionData("burn", [to]),
        pool.interface.encodeFunctionData("swap", [1n, 0n, to, "0x"]),
        pool.interface.encodeFunctionData("skim", [to]),
        pool.interface.encodeFunctionData("sync"),
        pool.interface.encodeFunctionData("getReserves"),
        pool.interface.encodeFunctionData("getAmountOut", [tokenIn, 9n]),
        pool.interface.encodeFunctionData("getAmountIn", [tokenIn, 9n]),
        pool.interface.encodeFunctionData("swapPrefunded", [tokenIn, 0n, to]),
        pool.interface.encodeFunctionData("swapFee"),
        pool.interface.encodeFunctionData("observe"),
      ];
      for (const data of calls) {
        const snapshot = await networkHelpers.takeSnapshot();
        await borrower.arm(due, 0n, poolAddress, data);
        await borrower.borrow(pool, 0n, out);
        expect(await borrower.succeeded(), data).to.equal(false);
        expect(await borrower.result(), data).to.equal(locked);
        await snapshot.restore();
      }
      expect(await pool.getReserves()).to.have.lengthOf(3);
    });
  });

  describe("the protocol's share of fees", () => {
    it("mints one sixth of the growth of sqrt(k) at the next change of liquidity, as V2 does", async () => {
      const { factory, pool, token0, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
      await factory.setFeeTo(bob);
      await pool.addLiquidity(reserve0, reserve1, 0n, 0n, alice, FAR_DEADLINE);
      const kLast = await pool.kLast();
      const [x0, y0] = await reservesOf(pool);
      expect(kLast).to.equal(x0 * y0);

      for (const share of [3n, 5n, 11n]) {
        await pool.swapExactInput(token0, reserve0 / share, 0n, alice, FAR_DEADLINE);
      }
      const [x, y] = await reservesOf(pool);
      const supply = await pool.totalSupply();
      const root = sqrtDown(x * y);
      const rootLast = sqrtDown(kLast);
      const due = (supply * (root - rootLast)) / (root * 5n + rootLast);
      expect(due > 0n).to.equal(true);

      const removed = await pool.balanceOf(alice);
      await pool.connect(alice).removeLiquidity(removed, 0n, 0n, alice, FAR_DEADLINE);
      expect(await pool.balanceOf(bob)).to.equal(due);
      expect(await pool.totalSupply()).to.equal(supply + due - removed);
      const [xAfter, yAfter] = await reservesOf(pool);
      expect([xAfter, yAfter]).to.deep.equal([
        x - (x * removed) / (supply + due),
        y - (y * removed) / (supply + due),
      ]);
      expect(await pool.kLast()).to.equal(xAfter * yAfter);
    });

    it("is the same by the native and by the V2 functions", async () => {
      const outcomes: bigint[][] = [];
      for (const native of [true, false]) {
        const { factory, pool, poolAddress, token0, token1, reserve0, reserve1, alice, bob } =
          await loadFixture(seeded);
        await factory.setFeeTo(bob);
        const add = async (a: bigint, b: bigint) => {
          if (native) return pool.addLiquidity(a, b, 0n, 0n, alice, FAR_DEADLINE);
          await token0.transfer(poolAddress, a);
          await token1.transfer(poolAddress, b);
          return pool.mint(alice);
        };
        await add(reserve0, reserve1);
        await pool.swapExactInput(token0, reserve0, 0n, alice, FAR_DEADLINE);
        const [x, y] = await reservesOf(pool);
        await add(x / 9n, ((x / 9n) * y) / x);
        await pool.swapExactInput(token1, reserve1, 0n, alice, FAR_DEADLINE);
        if (native) {
          await pool.connect(alice).removeLiquidity(10n ** 12n, 0n, 0n, alice, FAR_DEADLINE);
        } else {
          await pool.connect(alice).transfer(poolAddress, 10n ** 12n);
          await pool.burn(alice);
        }
        const reserves = await reservesOf(pool);
        outcomes.push([
          ...reserves,
          await pool.kLast(),
          await pool.totalSupply(),
          await pool.balanceOf(alice),
          await pool.balanceOf(bob),
        ]);
      }
      expect(outcomes[0]).to.deep.equal(outcomes[1]);
      expect(outcomes[0]![5]! > 0n, "no share was minted").to.equal(true);
    });

    it("charges nothing for growth while it is off", async () => {
      const { factory, pool, token0, reserve0, reserve1, alice, bob } = await loadFixture(seeded);
      const add = () => pool.addLiquidity(reserve0 / 2n, reserve1, 0n, 0n, alice, FAR_DEADLINE);
      const trade = () => pool.swapExactInput(token0, reserve0 / 10n, 0n, alice, FAR_DEADLINE);
      await trade();
      await factory.setFeeTo(bob);
      await add();
      expect(await pool.balanceOf(bob), "charged for the time before").to.equal(0n);
      await factory.setFeeTo(ZeroAddress);
      await add();
      expect(await pool.kLast()).to.equal(0n);
      await trade();
      await factory.setFeeTo(bob);
      await add();
      expect(await pool.balanceOf(bob), "charged for the time between").to.equal(0n);
      await trade();
      await add();
      expect((await pool.balanceOf(bob)) > 0n, "not charged while on").to.equal(true);
    });
  });
});
