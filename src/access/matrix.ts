/** Who may call: everybody is somebody of these. A contract's own cell is left out, since none calls itself. */
export const ROLES = {
  stranger: "nobody in particular",
  trader: "trader with a position",
  lp: "LP of both pools",
  keeper: "keeper",
  feeSetter: "`feeToSetter` of the factory",
  guardian: "guardian of the margin pool",
  owner: "owner of the margin pool, a `TimelockController`",
  marginPool: "`MarginPool`",
  rebalancer: "`Rebalancer`",
  pool: "`ConstantProductPool`",
  router: "`Router`",
  weth: "WETH",
} as const;
export type Role = keyof typeof ROLES;

/** The contracts that have a role of their own. */
export const OWN_ROLE: Readonly<Record<string, Role>> = {
  MarginPool: "marginPool",
  Rebalancer: "rebalancer",
  ConstantProductPool: "pool",
  Router: "router",
};

/** Who may call a function, and what everybody else is told. */
export interface Rule {
  /** Those who may; undefined: everyone. */
  readonly allowed: readonly Role[] | undefined;
  /** The error for everybody else, with its arguments: `caller`, or a role for its address. Empty for everyone's. */
  readonly error: string;
  /** For a success that needs too much: the error that whoever may call meets instead, which is about state. */
  readonly instead?: string;
}

/** Open to everyone: it moves what belongs to the caller, or does upkeep that anybody may do. */
const EVERYONE = { allowed: undefined, error: "" } satisfies Rule;

function only(allowed: readonly Role[], error: string): Rule {
  return { allowed, error };
}

const ONLY_REBALANCER = only(["rebalancer"], "MarginPool_OnlyRebalancer(caller, rebalancer)");
const ONLY_OWNER = only(["owner"], "OwnableUnauthorizedAccount(caller)");
const ONLY_GUARDIAN = only(["guardian", "owner"], "MarginPool_OnlyGuardian(caller, guardian)");
const ONLY_FEE_SETTER = only(["feeSetter"], "PoolFactory_NotFeeToSetter(caller, feeSetter)");
const ONLY_WETH = only(["weth"], "Router_EtherNotFromWeth(caller)");

/**
 * Every function of a deployed contract that may change state, by contract and signature. Views are everyone's and are
 * not listed. A function that is missing here, or is here and gone, fails `test/access/accessMatrix.test.ts`, where
 * `calls.ts` says how each is called. Another role is a line in `ROLES` and an address in `test/access/world.ts`.
 */
export const ACCESS: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  MarginPool: {
    "bootstrap(uint256,uint256)": EVERYONE,
    "deposit(uint256,address)": EVERYONE,
    "mint(uint256,address)": EVERYONE,
    "withdraw(uint256,address,address)": EVERYONE,
    "redeem(uint256,address,address)": EVERYONE,
    "approve(address,uint256)": EVERYONE,
    "transfer(address,uint256)": EVERYONE,
    "transferFrom(address,address,uint256)": EVERYONE,
    "depositMargin(uint256)": EVERYONE,
    "withdrawMargin(uint256)": EVERYONE,
    "requestOrder(int256,uint256,uint40)": EVERYONE,
    "executeOrder(address)": EVERYONE,
    "cancelOrder()": EVERYONE,
    "liquidate(address)": EVERYONE,
    "claim()": EVERYONE,
    "skim()": EVERYONE,
    "sync()": EVERYONE,
    "autoDeleverage()": { ...EVERYONE, instead: "MarginPool_NotDeleveraging" },
    "settle()": EVERYONE,
    "settleAccount(address)": EVERYONE,
    "finalizeSettlement()": EVERYONE,
    "redeemInKind(uint256,address)": EVERYONE,
    "pauseNewRisk()": ONLY_GUARDIAN,
    "unpauseNewRisk()": ONLY_GUARDIAN,
    "setGuardian(address)": ONLY_OWNER,
    "setParameters((uint256,uint256,uint256,uint256))": ONLY_OWNER,
    "transferOwnership(address)": ONLY_OWNER,
    "acceptOwnership()": ONLY_OWNER, // the next owner's, which is the owner itself where this is tried
    "renounceOwnership()": ONLY_OWNER,
    "tradeWithPool(bool,uint256,uint256)": ONLY_REBALANCER,
    "cacheBand(uint256,uint256,uint256)": ONLY_REBALANCER,
  },
  Rebalancer: {
    "rebalance()": EVERYONE,
    "poke()": EVERYONE,
  },
  PriceOracle: {},
  VolatilityOracle: {
    "sync()": EVERYONE,
    "poke()": EVERYONE,
  },
  PoolFactory: {
    "createPair(address,address)": EVERYONE,
    "setFeeTo(address)": ONLY_FEE_SETTER,
    "setFeeToSetter(address)": ONLY_FEE_SETTER,
  },
  ConstantProductPool: {
    "swapExactInput(address,uint256,uint256,address,uint256)": EVERYONE,
    "swapExactOutput(address,uint256,uint256,address,uint256)": EVERYONE,
    "swapExactInputAcrossTwoPools(address,address,uint256,uint256,address,uint256)": EVERYONE,
    "swapPrefunded(address,uint256,address)": EVERYONE,
    "addLiquidity(uint256,uint256,uint256,uint256,address,uint256)": EVERYONE,
    "removeLiquidity(uint256,uint256,uint256,address,uint256)": EVERYONE,
    "mint(address)": EVERYONE,
    "burn(address)": EVERYONE,
    "swap(uint256,uint256,address,bytes)": EVERYONE,
    "skim(address)": EVERYONE,
    "sync()": EVERYONE,
    "approve(address,uint256)": EVERYONE,
    "transfer(address,uint256)": EVERYONE,
    "transferFrom(address,address,uint256)": EVERYONE,
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": EVERYONE,
  },
  Router: {
    "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)": EVERYONE,
    "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)": EVERYONE,
    "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)": EVERYONE,
    "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)": EVERYONE,
    "removeLiquidityETHSupportingFeeOnTransferTokens(address,uint256,uint256,uint256,address,uint256)":
      EVERYONE,
    "removeLiquidityWithPermit(address,address,uint256,uint256,uint256,address,uint256,bool,uint8,bytes32,bytes32)":
      EVERYONE,
    "removeLiquidityETHWithPermit(address,uint256,uint256,uint256,address,uint256,bool,uint8,bytes32,bytes32)":
      EVERYONE,
    "removeLiquidityETHWithPermitSupportingFeeOnTransferTokens(address,uint256,uint256,uint256,address,uint256,bool,uint8,bytes32,bytes32)":
      EVERYONE,
    "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)": EVERYONE,
    "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)": EVERYONE,
    "swapExactETHForTokens(uint256,address[],address,uint256)": EVERYONE,
    "swapTokensForExactETH(uint256,uint256,address[],address,uint256)": EVERYONE,
    "swapExactTokensForETH(uint256,uint256,address[],address,uint256)": EVERYONE,
    "swapETHForExactTokens(uint256,address[],address,uint256)": EVERYONE,
    "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)":
      EVERYONE,
    "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)":
      EVERYONE,
    "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)":
      EVERYONE,
    "receive()": ONLY_WETH,
  },
};

/**
 * The functions of the libraries that are linked into a contract and run on its storage. Called at the library's own
 * address, those that change state refuse everyone, without data: the compiler puts a guard in front of them. Views
 * answer about the library's own storage, which is empty.
 */
export const LINKED: Readonly<Record<string, Readonly<Record<string, "refused" | "view">>>> = {
  OrderLogic: { request: "refused", execute: "refused", cancel: "refused", previewOrder: "view" },
  RiskLogic: {
    liquidate: "refused",
    withdrawMargin: "refused",
    sync: "refused",
    moveInventory: "refused",
    viewPool: "view",
    viewPosition: "view",
    viewSnapshot: "view",
  },
  SettlementLogic: {
    claim: "refused",
    deleverage: "refused",
    settle: "refused",
    settleAccount: "refused",
    finalize: "refused",
    redeemInKind: "refused",
  },
  ShareLogic: {
    bootstrap: "refused",
    enter: "refused",
    exit: "refused",
    maximumEnter: "view",
    maximumExit: "view",
    previewEnter: "view",
    previewExit: "view",
    totalEquity: "view",
  },
};
