import { expect } from "chai";
import { AbiCoder, keccak256, Signature, toUtf8Bytes, ZeroAddress, ZeroHash } from "ethers";
import { network } from "hardhat";
import { deployPool, FAR_DEADLINE, LOCK } from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture, time } = networkHelpers;

/** Uniswap's Permit2, which some tokens let spend everything unasked. */
const PERMIT2 = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
const MAX_UINT256 = 2n ** 256n - 1n;
/** Order of the curve of signatures: s and its negative sign the same. */
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

const seeded = () => deployPool(ethers);

/** The seeded pool and a way to sign permits of the first depositor for it. */
async function withSigner() {
  const setup = await seeded();
  const { chainId } = await ethers.provider.getNetwork();
  const domain = {
    name: "Ballast LP",
    version: "1",
    chainId,
    verifyingContract: setup.poolAddress,
  };
  const sign = async (
    spender: string,
    value: bigint,
    { nonce = 0n, deadline = FAR_DEADLINE, over = domain } = {},
  ) =>
    Signature.from(
      await setup.deployer.signTypedData(over, PERMIT_TYPES, {
        owner: setup.deployer.address,
        spender,
        value,
        nonce,
        deadline,
      }),
    );
  return { ...setup, domain, sign };
}

describe("The LP token", () => {
  describe("as an ERC-20 token", () => {
    it("has a name, a symbol and 18 decimals", async () => {
      const { pool } = await loadFixture(seeded);
      expect(await pool.name()).to.equal("Ballast LP");
      expect(await pool.symbol()).to.equal("BLP-LP");
      expect(await pool.decimals()).to.equal(18n);
    });

    it("moves between holders, says so, and leaves the supply alone", async () => {
      const { pool, deployer, alice, bob } = await loadFixture(seeded);
      const [supply, owned] = [await pool.totalSupply(), await pool.balanceOf(deployer)];
      expect(await pool.transfer.staticCall(alice, 1_003n)).to.equal(true);
      await expect(pool.transfer(alice, 1_003n))
        .to.emit(pool, "Transfer")
        .withArgs(deployer.address, alice.address, 1_003n);
      await expect(pool.connect(alice).transfer(bob, 0n))
        .to.emit(pool, "Transfer")
        .withArgs(alice.address, bob.address, 0n);
      await pool.connect(alice).transfer(alice, 1_003n);
      expect(await pool.balanceOf(deployer)).to.equal(owned - 1_003n);
      expect(await pool.balanceOf(alice)).to.equal(1_003n);
      expect(await pool.balanceOf(bob)).to.equal(0n);
      expect(await pool.totalSupply()).to.equal(supply);
    });

    it("refuses to move more than is owned, to anyone, itself included", async () => {
      const { pool, deployer, alice } = await loadFixture(seeded);
      const owned = await pool.balanceOf(deployer);
      for (const to of [alice, deployer]) {
        for (const amount of [owned + 1n, MAX_UINT256]) {
          await expect(pool.transfer(to, amount)).to.be.revertedWithCustomError(
            pool,
            "InsufficientBalance",
          );
        }
      }
      await expect(pool.connect(alice).transfer(deployer, 1n)).to.be.revertedWithCustomError(
        pool,
        "InsufficientBalance",
      );
    });

    it("lets a spender take its allowance once, and no unit more", async () => {
      const { pool, deployer, alice, bob } = await loadFixture(seeded);
      expect(await pool.approve.staticCall(alice, 50n)).to.equal(true);
      await expect(pool.approve(alice, 50n))
        .to.emit(pool, "Approval")
        .withArgs(deployer.address, alice.address, 50n);
      await expect(pool.connect(bob).transferFrom(deployer, bob, 1n)).to.be.revertedWithCustomError(
        pool,
        "InsufficientAllowance",
      );
      const spend = pool.connect(alice);
      await expect(spend.transferFrom(deployer, bob, 51n)).to.be.revertedWithCustomError(
        pool,
        "InsufficientAllowance",
      );
      await spend.transferFrom(deployer, bob, 30n);
      expect(await pool.allowance(deployer, alice)).to.equal(20n);
      await expect(spend.transferFrom(deployer, bob, 21n)).to.be.revertedWithCustomError(
        pool,
        "InsufficientAllowance",
      );
      await spend.transferFrom(deployer, bob, 20n);
      expect(await pool.allowance(deployer, alice)).to.equal(0n);
      expect(await pool.balanceOf(bob)).to.equal(50n);
    });

    it("leaves an unlimited allowance unlimited, and an allowance never buys what is not owned", async () => {
      const { pool, deployer, alice, bob } = await loadFixture(seeded);
      await pool.approve(alice, MAX_UINT256);
      await pool.connect(alice).transferFrom(deployer, bob, 7n);
      expect(await pool.allowance(deployer, alice)).to.equal(MAX_UINT256);
      const owned = await pool.balanceOf(deployer);
      await expect(
        pool.connect(alice).transferFrom(deployer, bob, owned + 1n),
      ).to.be.revertedWithCustomError(pool, "InsufficientBalance");
    });

    it("announces what deposits mint and withdrawals burn", async () => {
      const { pool, reserve0, reserve1, deployer, alice } = await loadFixture(seeded);
      const args = [reserve0 / 3n, reserve1, 0n, 0n, alice.address, FAR_DEADLINE] as const;
      const [, , minted] = await pool.addLiquidity.staticCall(...args);
      await expect(pool.addLiquidity(...args))
        .to.emit(pool, "Transfer")
        .withArgs(ZeroAddress, alice.address, minted);
      await expect(pool.removeLiquidity(10n ** 12n, 0n, 0n, deployer, FAR_DEADLINE))
        .to.emit(pool, "Transfer")
        .withArgs(deployer.address, ZeroAddress, 10n ** 12n);
    });

    it("is locked for good at the zero address: nobody can spend what lies there", async () => {
      const { pool, alice } = await loadFixture(seeded);
      expect(await pool.balanceOf(LOCK)).to.equal(1000n);
      expect(await pool.allowance(LOCK, alice)).to.equal(0n);
      await expect(pool.connect(alice).transferFrom(LOCK, alice, 1n)).to.be.revertedWithCustomError(
        pool,
        "InsufficientAllowance",
      );
      // A signature that no key made recovers the zero address: it must not pass for the owner of the lock.
      for (const [v, r, s] of [
        [0, ZeroHash, ZeroHash],
        [27, ZeroHash, ZeroHash],
        [28, ethers.id("r"), ethers.id("s")],
        [255, ethers.id("r"), ZeroHash],
      ] as const) {
        await expect(
          pool.permit(LOCK, alice, 1000n, FAR_DEADLINE, v, r, s),
        ).to.be.revertedWithCustomError(pool, "InvalidPermit");
      }
      expect(await pool.nonces(LOCK)).to.equal(0n);
    });

    it("gives Permit2 no allowance that the owner has not given", async () => {
      const { pool, deployer, alice } = await loadFixture(seeded);
      expect(await pool.allowance(deployer, PERMIT2)).to.equal(0n);
      await networkHelpers.impersonateAccount(PERMIT2);
      await networkHelpers.setBalance(PERMIT2, 10n ** 18n);
      const permit2 = await ethers.getSigner(PERMIT2);
      await expect(
        pool.connect(permit2).transferFrom(deployer, alice, 1n),
      ).to.be.revertedWithCustomError(pool, "InsufficientAllowance");
      await pool.approve(PERMIT2, 9n);
      await pool.connect(permit2).transferFrom(deployer, alice, 4n);
      expect(await pool.allowance(deployer, PERMIT2)).to.equal(5n);
    });
  });

  describe("takes signed approvals by ERC-2612", () => {
    it("over the domain and the type hash that the standards prescribe", async () => {
      const { pool, poolAddress } = await loadFixture(seeded);
      const { chainId } = await ethers.provider.getNetwork();
      const hash = (text: string) => keccak256(toUtf8Bytes(text));
      const separator = keccak256(
        AbiCoder.defaultAbiCoder().encode(
          ["bytes32", "bytes32", "bytes32", "uint256", "address"],
          [
            hash(
              "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            ),
            hash("Ballast LP"),
            hash("1"),
            chainId,
            poolAddress,
          ],
        ),
      );
      expect(await pool.DOMAIN_SEPARATOR()).to.equal(separator);
      expect(await pool.PERMIT_TYPEHASH()).to.equal(
        hash("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
      );
    });

    it("from anyone who brings the signature, once each", async () => {
      const { pool, sign, deployer, alice, bob } = await loadFixture(withSigner);
      const value = 123_456_789n;
      const { v, r, s } = await sign(bob.address, value);
      const args = [deployer.address, bob.address, value, FAR_DEADLINE, v, r, s] as const;
      await expect(pool.connect(alice).permit(...args))
        .to.emit(pool, "Approval")
        .withArgs(deployer.address, bob.address, value);
      expect(await pool.allowance(deployer, bob)).to.equal(value);
      expect(await pool.nonces(deployer)).to.equal(1n);
      await pool.connect(bob).transferFrom(deployer, bob, value);
      expect(await pool.balanceOf(bob)).to.equal(value);
      await expect(pool.permit(...args)).to.be.revertedWithCustomError(pool, "InvalidPermit");
      expect(await pool.allowance(deployer, bob)).to.equal(0n);
    });

    it("not twice by the mirrored signature either", async () => {
      const { pool, sign, deployer, bob } = await loadFixture(withSigner);
      const { v, r, s } = await sign(bob.address, 5n);
      const mirrored = ethers.toBeHex(CURVE_ORDER - BigInt(s), 32);
      await pool.permit(deployer, bob, 5n, FAR_DEADLINE, v, r, s);
      await expect(
        pool.permit(deployer, bob, 5n, FAR_DEADLINE, 55 - v, r, mirrored),
      ).to.be.revertedWithCustomError(pool, "InvalidPermit");
    });

    it("until the second of the deadline, and not after", async () => {
      const { pool, sign, deployer, bob } = await loadFixture(withSigner);
      const deadline = BigInt(await time.latest()) + 100n;
      const { v, r, s } = await sign(bob.address, 5n, { deadline });
      const args = [deployer.address, bob.address, 5n, deadline, v, r, s] as const;
      const snapshot = await networkHelpers.takeSnapshot();
      await time.setNextBlockTimestamp(deadline);
      await pool.permit(...args);
      expect(await pool.allowance(deployer, bob)).to.equal(5n);
      await snapshot.restore();
      await time.setNextBlockTimestamp(deadline + 1n);
      await expect(pool.permit(...args)).to.be.revertedWithCustomError(pool, "PermitExpired");
    });

    it("for exactly what was signed: owner, spender, value, nonce, deadline, pool and chain", async () => {
      const { pool, sign, domain, deployer, alice, bob } = await loadFixture(withSigner);
      const { v, r, s } = await sign(bob.address, 5n);
      for (const [owner, spender, value, deadline] of [
        [alice.address, bob.address, 5n, FAR_DEADLINE],
        [deployer.address, alice.address, 5n, FAR_DEADLINE],
        [deployer.address, bob.address, 6n, FAR_DEADLINE],
        [deployer.address, bob.address, 5n, FAR_DEADLINE + 1n],
      ] as const) {
        await expect(
          pool.permit(owner, spender, value, deadline, v, r, s),
        ).to.be.revertedWithCustomError(pool, "InvalidPermit");
      }
      for (const other of [
        { nonce: 1n },
        { over: { ...domain, verifyingContract: deployer.address } },
        { over: { ...domain, chainId: domain.chainId + 1n } },
        { over: { ...domain, name: "Ballast" } },
        { over: { ...domain, version: "2" } },
      ]) {
        const wrong = await sign(bob.address, 5n, other);
        await expect(
          pool.permit(deployer, bob, 5n, FAR_DEADLINE, wrong.v, wrong.r, wrong.s),
        ).to.be.revertedWithCustomError(pool, "InvalidPermit");
      }
      expect(await pool.nonces(deployer)).to.equal(0n);
      await pool.permit(deployer, bob, 5n, FAR_DEADLINE, v, r, s);
    });
  });
});
