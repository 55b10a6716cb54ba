import { expect } from "chai";
import { ZeroAddress } from "ethers";
import { network } from "hardhat";
import { deployPool, FAR_DEADLINE, reservesOf, sqrtDown, v2AmountOut } from "./poolFixture.ts";

const { ethers, networkHelpers } = await network.create();
const { loadFixture } = networkHelpers;

const deep = process.env.BALLAST_DEEP === "1";
/** Every order of this many events is tried. */
const DEPTH = deep ? 7 : 5;

/** A Uniswap V2 pair as far as its protocol share goes, after the published source of UniswapV2Pair. */
interface V2Pair {
  readonly isOn: boolean;
  readonly reserve0: bigint;
  readonly reserve1: bigint;
  readonly totalSupply: bigint;
  readonly kLast: bigint;
  /** LP tokens of the receiver of the protocol's share. */
  readonly collected: bigint;
}

/** `_mintFee`: a sixth of the growth of sqrt(k) if the share is on, and kLast forgotten if it is off. */
function mintFee(pair: V2Pair): V2Pair {
  if (!pair.isOn) return { ...pair, kLast: 0n };
  if (pair.kLast === 0n) return pair;
  const rootK = sqrtDown(pair.reserve0 * pair.reserve1);
  const rootKLast = sqrtDown(pair.kLast);
  if (rootK <= rootKLast) return pair;
  const liquidity = (pair.totalSupply * (rootK - rootKLast)) / (rootK * 5n + rootKLast);
  return {
    ...pair,
    totalSupply: pair.totalSupply + liquidity,
    collected: pair.collected + liquidity,
  };
}

/** The end of `mint` and `burn`. */
const remember = (pair: V2Pair): V2Pair =>
  pair.isOn ? { ...pair, kLast: pair.reserve0 * pair.reserve1 } : pair;

function afterDeposit(before: V2Pair, amount0: bigint, amount1: bigint): V2Pair {
  const pair = mintFee(before);
  const share0 = (amount0 * pair.totalSupply) / pair.reserve0;
  const share1 = (amount1 * pair.totalSupply) / pair.reserve1;
  return remember({
    ...pair,
    reserve0: pair.reserve0 + amount0,
    reserve1: pair.reserve1 + amount1,
    totalSupply: pair.totalSupply + (share0 < share1 ? share0 : share1),
  });
}

function afterWithdrawal(before: V2Pair, liquidity: bigint): V2Pair {
  const pair = mintFee(before);
  return remember({
    ...pair,
    reserve0: pair.reserve0 - (liquidity * pair.reserve0) / pair.totalSupply,
    reserve1: pair.reserve1 - (liquidity * pair.reserve1) / pair.totalSupply,
    totalSupply: pair.totalSupply - liquidity,
  });
}

type Setup = Awaited<ReturnType<typeof seeded>>;
type Event = (setup: Setup, pair: V2Pair) => Promise<V2Pair>;

const seeded = () => deployPool(ethers);

/** What can happen, done to the pool and to the model. Bob receives the protocol's share. */
const EVENTS: Record<string, Event> = {
  "switch turned": async ({ factory, bob }, pair) => {
    await factory.setFeeTo(pair.isOn ? ZeroAddress : bob.address);
    return { ...pair, isOn: !pair.isOn };
  },
  trade: async ({ pool, token0, alice }, pair) => {
    const amountIn = pair.reserve0 / 9n;
    const out = v2AmountOut(amountIn, pair.reserve0, pair.reserve1);
    await pool.connect(alice).swapExactInput(token0, amountIn, out, alice, FAR_DEADLINE);
    return { ...pair, reserve0: pair.reserve0 + amountIn, reserve1: pair.reserve1 - out };
  },
  deposit: async ({ pool, alice }, pair) => {
    const amount0 = pair.reserve0 / 7n;
    const amount1 = (amount0 * pair.reserve1) / pair.reserve0;
    const args = [amount0, amount1, amount0, amount1, alice, FAR_DEADLINE] as const;
    await pool.connect(alice).addLiquidity(...args);
    return afterDeposit(pair, amount0, amount1);
  },
  withdrawal: async ({ pool, deployer }, pair) => {
    const liquidity = (await pool.balanceOf(deployer)) / 5n;
    await pool.removeLiquidity(liquidity, 0n, 0n, deployer, FAR_DEADLINE);
    return afterWithdrawal(pair, liquidity);
  },
};

async function start({ pool, reserve0, reserve1 }: Setup): Promise<V2Pair> {
  const totalSupply = await pool.totalSupply();
  return { isOn: false, reserve0, reserve1, totalSupply, kLast: 0n, collected: 0n };
}

async function expectEqual({ pool, bob }: Setup, pair: V2Pair, story: string[]): Promise<void> {
  const [reserve0, reserve1] = await reservesOf(pool);
  const actual: V2Pair = {
    isOn: pair.isOn,
    reserve0,
    reserve1,
    totalSupply: await pool.totalSupply(),
    kLast: await pool.kLast(),
    collected: await pool.balanceOf(bob),
  };
  for (const key of Object.keys(pair) as (keyof V2Pair)[]) {
    expect(String(actual[key]), `${key} after ${story.join(", ")}`).to.equal(String(pair[key]));
  }
}

describe("The protocol's share of the fees", () => {
  it(`is Uniswap V2's after every order of ${DEPTH} trades, deposits, withdrawals and turns of the switch`, async () => {
    const setup = await loadFixture(seeded);
    let stories = 0;
    let charged = 0;
    let forgiven = 0;
    const explore = async (pair: V2Pair, story: string[]): Promise<void> => {
      if (story.length === DEPTH) return;
      for (const [name, event] of Object.entries(EVENTS)) {
        const snapshot = await networkHelpers.takeSnapshot();
        const after = await event(setup, pair);
        const longer = [...story, name];
        await expectEqual(setup, after, longer);
        stories++;
        if (after.collected > pair.collected) charged++;
        if (pair.kLast > 0n && after.kLast === 0n) forgiven++;
        await explore(after, longer);
        await snapshot.restore();
      }
    };
    await explore(await start(setup), []);
    expect(stories).to.equal((4 ** (DEPTH + 1) - 4) / 3);
    expect(charged > 30, `charged ${charged} times`).to.equal(true);
    expect(forgiven > 10, `forgiven ${forgiven} times`).to.equal(true);
  });

  for (const [name, story] of Object.entries({
    "charges growth while it was off if no liquidity changed before it came back on": [
      ...["switch turned", "deposit", "trade", "switch turned", "trade", "trade"],
      ...["switch turned", "trade", "withdrawal"],
    ],
    "forgets growth while it was off as soon as liquidity changes": [
      ...["switch turned", "deposit", "trade", "switch turned", "trade", "deposit", "trade"],
      ...["switch turned", "trade", "withdrawal", "trade", "deposit"],
    ],
    "charges nothing at the first change of liquidity after it came on": [
      ...["trade", "trade", "switch turned", "trade", "deposit", "withdrawal"],
    ],
    "is charged once, not again, by changes of liquidity without trades between": [
      ...["switch turned", "deposit", "trade", "withdrawal", "withdrawal", "deposit", "deposit"],
    ],
  })) {
    it(name, async () => {
      const setup = await loadFixture(seeded);
      let pair = await start(setup);
      for (const [index, event] of story.entries()) {
        pair = await EVENTS[event]!(setup, pair);
        await expectEqual(setup, pair, story.slice(0, index + 1));
      }
      const charges = name.startsWith("charges nothing") ? 0n : 1n;
      expect(pair.collected > 0n ? 1n : 0n).to.equal(charges);
    });
  }

  it("counts what strangers gave and had booked as growth, and no growth when a token shrank the reserves", async () => {
    const setup = await loadFixture(seeded);
    const { factory, pool, poolAddress, token0, alice, bob } = setup;
    let pair = await start(setup);
    pair = await EVENTS["switch turned"]!(setup, pair);
    pair = await EVENTS.deposit!(setup, pair);
    const gift = pair.reserve0 / 3n;
    await token0.connect(alice).transfer(poolAddress, gift);
    await pool.sync();
    pair = await EVENTS.withdrawal!(setup, { ...pair, reserve0: pair.reserve0 + gift });
    await expectEqual(setup, pair, ["gift", "withdrawal"]);
    expect(pair.collected > 0n).to.equal(true);

    // The same when k has fallen since: nothing is due, and the lower product counts from then on.
    await networkHelpers.impersonateAccount(poolAddress);
    await networkHelpers.setBalance(poolAddress, 10n ** 18n);
    const asPool = await ethers.getSigner(poolAddress);
    await token0.connect(asPool).transfer(alice, gift);
    await pool.sync();
    const lower = { ...pair, reserve0: pair.reserve0 - gift };
    const after = await EVENTS.deposit!(setup, lower);
    await expectEqual(setup, after, ["loss", "deposit"]);
    expect(after.collected).to.equal(pair.collected);
    expect(await factory.feeTo()).to.equal(bob.address);
  });

  it("goes to the receiver of the moment, in full", async () => {
    const setup = await loadFixture(seeded);
    const { factory, pool, bob } = setup;
    const [, , , carol] = await ethers.getSigners();
    let pair = await start(setup);
    for (const event of ["switch turned", "deposit", "trade"]) {
      pair = await EVENTS[event]!(setup, pair);
    }
    await factory.setFeeTo(carol!.address);
    const due = mintFee(pair).collected;
    await EVENTS.withdrawal!(setup, pair);
    expect(await pool.balanceOf(bob)).to.equal(0n);
    expect(await pool.balanceOf(carol!)).to.equal(due);
    expect(due > 0n).to.equal(true);
  });
});
