// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Constant-product pool of two tokens
/// @notice Swaps along reserve0 * reserve1 = k, with the fee left in the reserves. The pool is its own LP token (ERC-20, ERC-2612).
///
/// Two ways in:
/// - Uniswap V2's pair functions (`mint`, `burn`, `swap`, `skim`, `sync`): the caller moves tokens first, the pool measures its balances.
/// - Native functions: `swapExactInput`, `swapExactOutput`, `swapExactInputAcrossTwoPools`, `addLiquidity` and `removeLiquidity` take what
///   they need from the caller and enforce bounds and a deadline, so that one or two hops need no router; `swapPrefunded` is for routers.
///
/// The pool is an ERC-20 and ERC-2612 token, the share of its LPs; cast it to `IERC20Metadata` or `IERC20Permit`.
///
/// Units: amounts are raw token units, fees 1e6 = 100 %, times unix seconds. Rounding always favors the pool.
///
/// Assumptions about tokens: the factory admits tokens of up to 18 decimals. Transfers may return nothing. What the native functions
/// pull must arrive (`BalanceBelowReserve`), and the other functions count balances alone; so a token that takes a fee on transfer
/// trades through `swapPrefunded` and the V2 functions only, and no swap gives more than k allows.
/// Warning: k falls by `sync` after a token itself has shrunk the pool's balance, by rebasing or by charging the sender on top of what it
/// sends. Until then the native functions send it out as booked, so who leaves first leaves the loss behind; whoever syncs trades at the
/// new price. Such a token can cost its LPs the other token as well.
///
/// Differences from a Uniswap V2 pair: `observe` instead of `price{0,1}CumulativeLast`, no `initialize`, a fee that may follow volatility,
/// reserves and quotes that cannot be read while the pool is locked, and `blockTimestampLast` is the last time at which the price may
/// have changed: liquidity that comes or goes in the ratio of the reserves leaves it alone. It is kept modulo 2^31 and right for 68 years.
/// The permit domain is the pool's own `name()`, version 1.
interface IConstantProductPool {
    /// @notice Liquidity was added.
    /// @param sender Caller of the pool.
    /// @param amount0 token0 units that came in.
    /// @param amount1 token1 units that came in.
    event Mint(address indexed sender, uint256 amount0, uint256 amount1);

    /// @notice Liquidity was removed.
    /// @param sender Caller of the pool.
    /// @param amount0 token0 units sent to `to`.
    /// @param amount1 token1 units sent to `to`.
    /// @param to Receiver of both.
    event Burn(address indexed sender, uint256 amount0, uint256 amount1, address indexed to);

    /// @notice Tokens were swapped.
    /// @param sender Caller of the pool.
    /// @param amount0In token0 units that came in, fee included.
    /// @param amount1In token1 units that came in, fee included.
    /// @param amount0Out token0 units sent to `to`.
    /// @param amount1Out token1 units sent to `to`.
    /// @param to Receiver of the output.
    event Swap(
        address indexed sender,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out,
        address indexed to
    );

    /// @notice The reserves changed to these values.
    event Sync(uint112 reserve0, uint112 reserve1);

    /// @notice The deadline has passed.
    error ConstantProductPool_Expired(uint256 deadline, uint256 timestamp);

    /// @notice The token is not one of the pool's two.
    error ConstantProductPool_UnknownToken(address token);

    /// @notice The pool's tokens cannot receive what `swap` sends.
    error ConstantProductPool_InvalidRecipient(address to);

    /// @notice The two tokens have no pool.
    error ConstantProductPool_PoolMissing(address tokenA, address tokenB);

    /// @notice Nothing was put in, or nothing asked for.
    error ConstantProductPool_ZeroAmount();

    /// @notice The operation would send out nothing of a token it must send.
    error ConstantProductPool_ZeroOutput(uint256 amount0Out, uint256 amount1Out);

    /// @notice The deposit is too small for one unit of liquidity.
    error ConstantProductPool_ZeroLiquidity(uint256 amount0, uint256 amount1);

    /// @notice The output must be below the reserve.
    error ConstantProductPool_InsufficientReserve(uint256 amountOut, uint256 reserveOut);

    /// @notice The price moved: the output is below the caller's bound.
    error ConstantProductPool_OutputBelowMinimum(uint256 amountOut, uint256 minAmountOut);

    /// @notice The price moved: the input is above the caller's bound.
    error ConstantProductPool_InputAboveMaximum(uint256 amountIn, uint256 maxAmountIn);

    /// @notice The price moved: the amount of this token is below the caller's bound.
    error ConstantProductPool_AmountBelowMinimum(address token, uint256 amount, uint256 minAmount);

    /// @notice The pool holds less of the token than its reserve: the token took a fee, or shrank the balance (call `sync`).
    error ConstantProductPool_BalanceBelowReserve(address token, uint256 balance, uint256 reserve);

    /// @notice The token does not tell its balances.
    error ConstantProductPool_BalanceUnknown(address token);

    /// @notice A reserve, or an amount on its way into one, is above the largest that 112 bits hold.
    error ConstantProductPool_ReserveOverflow(uint256 amount, uint256 limit);

    /// @notice The balances, less the fee on what came in, span less than the reserves did.
    error ConstantProductPool_InvariantBroken(
        uint256 balance0,
        uint256 balance1,
        uint256 amount0In,
        uint256 amount1In,
        uint256 reserve0,
        uint256 reserve1
    );

    // ---------------------------------------------------------------------------------------------------------- native functions

    /// @notice Sells exactly `amountIn` of `tokenIn` for the other token.
    /// @dev Pulls `amountIn` from the caller. Tokens that take a fee on transfer are refused (`BalanceBelowReserve`).
    /// @param tokenIn token0 or token1.
    /// @param amountIn Units of `tokenIn`, above zero.
    /// @param minAmountOut Least output accepted.
    /// @param to Receiver of the output.
    /// @param deadline Last second at which the call may run.
    /// @return amountOut Units of the other token sent, above zero.
    function swapExactInput(
        address tokenIn,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external returns (uint256 amountOut);

    /// @notice Buys exactly `amountOut` of the token that is not `tokenIn`.
    /// @dev Pulls `amountIn` from the caller. Tokens that take a fee on transfer are refused (`BalanceBelowReserve`).
    /// @param tokenIn token0 or token1: what is paid.
    /// @param amountOut Units of the other token, above zero and below its reserve.
    /// @param maxAmountIn Most input accepted.
    /// @param to Receiver of the output.
    /// @param deadline Last second at which the call may run.
    /// @return amountIn Units of `tokenIn` paid.
    function swapExactOutput(
        address tokenIn,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 deadline
    ) external returns (uint256 amountIn);

    /// @notice Sells exactly `amountIn` of `tokenIn` here and the proceeds in the pool of this pool's other token and `tokenOut`, to which
    /// they go directly. Longer paths are the business of `Router`.
    /// @dev Pulls `amountIn` from the caller. The second pool belongs to the same factory.
    /// @param tokenIn token0 or token1.
    /// @param tokenOut What the second pool sells.
    /// @param amountIn Units of `tokenIn`, above zero.
    /// @param minAmountOut Least output of `tokenOut` accepted.
    /// @param to Receiver of `tokenOut`.
    /// @param deadline Last second at which the call may run.
    /// @return amountOut Units of `tokenOut` sent, above zero.
    function swapExactInputAcrossTwoPools(
        address tokenIn,
        address tokenOut,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 deadline
    ) external returns (uint256 amountOut);

    /// @notice Sells what the balance of `tokenIn` exceeds its reserve by. For contracts that send it in the same transaction, before
    /// the call: anything left over belongs to whoever calls first.
    /// @dev What arrived is measured, so tokens that take a fee on transfer may come in this way.
    /// @param tokenIn token0 or token1.
    /// @param minAmountOut Least output accepted.
    /// @param to Receiver of the output.
    /// @return amountOut Units of the other token sent, above zero.
    function swapPrefunded(
        address tokenIn,
        uint256 minAmountOut,
        address to
    ) external returns (uint256 amountOut);

    /// @notice Adds liquidity in the ratio of the reserves; the first deposit sets the ratio and locks 1000 LP units.
    /// @param amount0Desired Most token0 to add; anything above 2^112 - 1 means that.
    /// @param amount1Desired Most token1 to add; anything above 2^112 - 1 means that.
    /// @param amount0Min Least token0 to add.
    /// @param amount1Min Least token1 to add.
    /// @param to Receiver of the LP tokens.
    /// @param deadline Last second at which the call may run.
    /// @return amount0 token0 units pulled from the caller.
    /// @return amount1 token1 units pulled from the caller.
    /// @return liquidity LP token units minted to `to`.
    function addLiquidity(
        uint256 amount0Desired,
        uint256 amount1Desired,
        uint256 amount0Min,
        uint256 amount1Min,
        address to,
        uint256 deadline
    ) external returns (uint256 amount0, uint256 amount1, uint256 liquidity);

    /// @notice Burns the caller's LP tokens for their share of the reserves; no approval is needed.
    /// @param liquidity LP token units to burn, above zero.
    /// @param amount0Min Least token0 accepted.
    /// @param amount1Min Least token1 accepted.
    /// @param to Receiver of both tokens.
    /// @param deadline Last second at which the call may run.
    /// @return amount0 token0 units sent.
    /// @return amount1 token1 units sent.
    function removeLiquidity(
        uint256 liquidity,
        uint256 amount0Min,
        uint256 amount1Min,
        address to,
        uint256 deadline
    ) external returns (uint256 amount0, uint256 amount1);

    /// @notice What `swapExactInput` would give now. 0: the input is too small and the swap would be refused.
    /// @dev Warning: reads live reserves, which anyone can move within a transaction. Never use it as a price. Reverts while locked.
    /// @param tokenIn token0 or token1.
    /// @param amountIn Units of `tokenIn`, above zero.
    function getAmountOut(address tokenIn, uint256 amountIn) external view returns (uint256 amountOut);

    /// @notice What `swapExactOutput` would cost now.
    /// @dev Warning: reads live reserves, which anyone can move within a transaction. Never use it as a price. Reverts while locked.
    /// @param tokenIn token0 or token1: what would be paid.
    /// @param amountOut Units of the other token, above zero and below its reserve.
    function getAmountIn(address tokenIn, uint256 amountOut) external view returns (uint256 amountIn);

    /// @notice Fee on the input of a swap now, 1e6 = 100 %; the same in quotes and in the check of k. Reverts while locked.
    /// @dev f = min(f_min + m sqrt(variance rate), f_max), fixed for the block by the prices at the end of earlier blocks: no trade
    /// changes the fee of its own block.
    function swapFee() external view returns (uint24);

    /// @notice What the pool knows of its past, brought up to this second. Reverts while locked.
    /// @dev Nothing that happens in a block shows before the next one, but for 1e-9 of the price per change of liquidity. Compare two snapshots with the library `PoolConsult`.
    /// A price is token1 units per token0 unit; logarithms are natural.
    /// @return cumulativeLogPriceWad Sum of log price x seconds since the first deposit, 1e18: its growth over its time is the log of the
    /// geometric mean price.
    /// @return logPriceWad Log price at the end of the last earlier block that touched the pool, 1e18.
    /// @return varianceRateWad Mean of the squared log return per second, 1e18, the weight of the past halving every 30 minutes.
    /// @return timestamp This block's time.
    function observe()
        external
        view
        returns (
            int256 cumulativeLogPriceWad,
            int256 logPriceWad,
            uint256 varianceRateWad,
            uint256 timestamp
        );

    // ------------------------------------------------------------------------------------------------------- Uniswap V2 functions

    /// @notice Mints LP tokens for what the balances exceed the reserves by. Send both tokens in the same transaction, before the call.
    /// @param to Receiver of the LP tokens.
    /// @return liquidity LP token units minted.
    function mint(address to) external returns (uint256 liquidity);

    /// @notice Burns the LP tokens that the pool itself holds for their share of the balances. Send them in the same transaction,
    /// before the call.
    /// @param to Receiver of both tokens.
    /// @return amount0 token0 units sent.
    /// @return amount1 token1 units sent.
    function burn(address to) external returns (uint256 amount0, uint256 amount1);

    /// @notice Sends the outputs, calls `uniswapV2Call` on `to` if `data` is not empty, then requires that what came in pays for them.
    /// @param amount0Out token0 units to send, below its reserve.
    /// @param amount1Out token1 units to send, below its reserve; not both zero.
    /// @param to Receiver of the outputs and of the callback.
    /// @param data Handed to the callback.
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;

    /// @notice Sends what the balances exceed the reserves by to anyone who asks.
    function skim(address to) external;

    /// @notice Sets the reserves to the balances. k falls only if a token itself shrank the balance.
    function sync() external;

    /// @notice Reserves and the second, modulo 2^32, at which the price may last have changed. Reverts while locked.
    /// @dev Warning: anyone can move the ratio within a transaction. Never use it as a price.
    function getReserves()
        external
        view
        returns (uint112 reserve0, uint112 reserve1, uint32 blockTimestampLast);

    /// @notice Product of the reserves after the last change of liquidity while the protocol's share is on, else 0.
    function kLast() external view returns (uint256);

    /// @notice The factory that created the pool.
    function factory() external view returns (address);

    /// @notice The token with the lower address.
    function token0() external view returns (address);

    /// @notice The token with the higher address.
    function token1() external view returns (address);

    /// @notice LP units locked for good at the zero address by the first deposit: 1000, part of `totalSupply`.
    function MINIMUM_LIQUIDITY() external pure returns (uint256);

    /// @notice ERC-2612 type hash of a permit.
    function PERMIT_TYPEHASH() external pure returns (bytes32);
}
