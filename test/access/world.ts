import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { BaseContract } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { deployProtocol, type Protocol } from "../../deploy/deployProtocol.ts";
import type { Role } from "../../src/access/matrix.ts";
import type { ConstantProductPool, MockERC20, MockWETH } from "../../typechain-types/index.ts";
import {
  deployFixture,
  depositMargin,
  FAR_DEADLINE,
  MAX_UINT256,
  type ProtocolFixture,
  passTime,
  trade,
  WAD,
} from "../support/protocolFixture.ts";

const ETHER = 10n ** 21n;
/** Units of any token. */
const TOKENS = 10n ** 22n;

/** A deployed protocol, everybody who may try to call it, and what their calls need. */
export interface World extends ProtocolFixture {
  readonly roles: Readonly<Record<Role, HardhatEthersSigner>>;
  /** The contracts by name. */
  readonly contracts: Readonly<Record<string, BaseContract>>;
  /** A second protocol without any liquidity. */
  readonly empty: Protocol;
  readonly weth: MockWETH;
  /** A third token, with pools against base and WETH. */
  readonly other: MockERC20;
  readonly otherPair: ConstantProductPool;
  readonly wethPair: ConstantProductPool;
  /** Two tokens without a pool. */
  readonly spare: readonly [MockERC20, MockERC20];
}

/** A protocol in which every role has what it takes to be itself. */
export async function createWorld(connection: NetworkConnection): Promise<World> {
  const { ethers } = connection;
  // A band so narrow that one order leaves it.
  const fixture = await deployFixture(connection, { initialTargetVolatility: WAD / 100n });
  const { owner, alice, keeper, factory, router, base } = fixture;
  const empty = await deployProtocol(connection, { lpEquity: 0n, poolQuoteDepth: 0n });
  const [, , , , , stranger, feeSetter, guardian] = await ethers.getSigners();
  const timelock = await impersonated(connection, fixture.timelock);
  await fixture.marginPool.connect(timelock).setGuardian(guardian!);
  await factory.setFeeToSetter(feeSetter!);
  const token = (name: string) => ethers.deployContract("MockERC20", [name, name, 18]);
  const other = await token("OTHER");
  const weth = await ethers.getContractAt("MockWETH", await router.WETH());
  const pairOf = async (first: MockERC20, second: MockERC20 | MockWETH) => {
    await factory.createPair(first, second);
    const address = await factory.getPair(first, second);
    return ethers.getContractAt("ConstantProductPool", address);
  };
  const world: World = {
    ...fixture,
    roles: {
      stranger: stranger!,
      trader: alice,
      lp: owner,
      keeper,
      feeSetter: feeSetter!,
      guardian: guardian!,
      owner: timelock,
      marginPool: await impersonated(connection, fixture.marginPool),
      rebalancer: await impersonated(connection, fixture.rebalancer),
      pool: await impersonated(connection, fixture.pool),
      router: await impersonated(connection, router),
      weth: await impersonated(connection, weth),
    },
    contracts: {
      MarginPool: fixture.marginPool,
      Rebalancer: fixture.rebalancer,
      PriceOracle: fixture.priceOracle,
      VolatilityOracle: fixture.volatilityOracle,
      PoolFactory: factory,
      ConstantProductPool: fixture.pool,
      Router: router,
    },
    empty,
    weth,
    other,
    otherPair: await pairOf(other, base),
    wethPair: await pairOf(other, weth),
    spare: [await token("ONE"), await token("TWO")],
  };

  for (const account of Object.values(world.roles)) await fund(world, account);
  const amount = 10n ** 20n;
  const rest = [amount, amount, 0n, 0n, owner, FAR_DEADLINE] as const;
  await router.connect(owner).addLiquidity(other, base, ...rest);
  await router.connect(owner).addLiquidity(other, weth, ...rest);
  await depositMargin(world, alice, 50_000n * WAD);
  await trade(world, alice, 10n * WAD);
  // The first LPs' shares come free.
  await passTime(world, 660n);
  return world;
}

async function impersonated(
  { ethers, networkHelpers }: NetworkConnection,
  contract: BaseContract,
): Promise<HardhatEthersSigner> {
  const address = await contract.getAddress();
  await networkHelpers.setBalance(address, ETHER);
  return ethers.getImpersonatedSigner(address);
}

/** Gives an account tokens of every kind and approves all contracts for them. */
async function fund(world: World, account: HardhatEthersSigner): Promise<void> {
  const { base, quote, other, weth, pool, marginPool, router, empty } = world;
  for (const token of [base, quote, other, empty.base, empty.quote])
    await token.mint(account, TOKENS);
  // Wrapped by the role itself, then approved like the rest.
  await weth.connect(account).deposit({ value: ETHER / 10n });
  for (const token of [base, quote, other, weth])
    for (const spender of [pool, marginPool, router])
      await (token as MockERC20).connect(account).approve(spender, MAX_UINT256);
  for (const token of [empty.base, empty.quote])
    await token.connect(account).approve(empty.marginPool, MAX_UINT256);
}

/** Gives an account LP tokens of a pool and approves the router for them. */
export async function giveLiquidity(
  { owner, router }: World,
  pair: ConstantProductPool,
  account: HardhatEthersSigner,
  amount: bigint,
): Promise<void> {
  await pair.connect(owner).transfer(account, amount);
  await pair.connect(account).approve(router, MAX_UINT256);
}
