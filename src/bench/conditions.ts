/**
 * What every system is measured under, so that figures differ by the contracts alone: whole transactions on an
 * in-process chain, two OpenZeppelin tokens of 18 decimals, infinite allowances, balances that are never zero before or
 * after, a pool that was swapped before, one transaction per block unless an operation says otherwise.
 */

const TOKEN = 10n ** 18n;

/** First reserves of a pool, of the token that is sold and of the one that is bought. */
export const RESERVE_IN = 1_000_000n * TOKEN;
export const RESERVE_OUT = 2_000_000n * TOKEN;

/** 1,234.57 tokens: the input of every swap, the first amount of every deposit, the LP tokens of every withdrawal. */
export const AMOUNT_IN = (123_457n * TOKEN) / 100n;

/** A deposit offers more of the second token than it takes: the first decides. */
export const DEPOSIT_LIMIT_OUT = 3n * AMOUNT_IN;

/** 0.3 % of the input, in millionths. */
export const SWAP_FEE = 3_000n;

/** Far away, and cheap to send: zero bytes cost a quarter of the others. */
export const DEADLINE = 2n ** 32n;

/** What an account holds of each token before it does anything. */
export const WALLET = 1_000_000_000n * TOKEN;

export const MAX_UINT256 = 2n ** 256n - 1n;

/**
 * Swaps there and back before the first measurement. Uniswap V3's gas varies by 1,000 with the place of the price
 * between two ticks, so the number matters.
 */
export const WARM_UP_ROUND_TRIPS = 3;

/** The chain's first second: fixed, because digits of the time would otherwise show in the gas. */
export const GENESIS = 1_767_225_600;
export const SECONDS_PER_BLOCK = 12;
