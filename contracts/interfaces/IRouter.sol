// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Router of swaps and liquidity across pools
/// @notice One approval for all pools of a factory: swaps along paths of tokens, liquidity, ether in place of WETH, permits. Functions
/// have the names, arguments and return values of Uniswap V2's Router02, so that its users need to change an address only.
///
/// Units: amounts are raw token units, ether is wei, deadlines are unix seconds, the last at which a call may run.
///
/// Paths: `path` names the tokens from the one sold to the one bought, at least two; each two neighbors must have a pool of the factory.
/// Every pool sends its output straight to the next one. A path may come back to a pool when the input is exact, even at once (A, B, A).
/// When the output is exact, amounts are computed before anything moves: a pool that recurs at once then reverts with
/// `ConstantProductPool_ZeroAmount`, one that recurs later in the same direction reverts
/// with `ConstantProductPool_InvariantBroken`, and in the opposite direction gives less than it could.
///
/// Custody: the router holds no tokens and no ether between transactions, has no owner, approves nobody and cannot be changed. What is
/// sent to it by mistake is lost or taken by the next caller. It trusts the factory's pools, whose addresses it derives from the tokens,
/// and WETH; tokens are not trusted, and a token that calls back in the middle of a call can spoil only what its own pools trade.
///
/// Tokens that take a fee on transfer: pools count what arrives, so every exact-input function can sell them and pass through them. The
/// bound `amountOutMin` of the plain functions holds for what the last pool sends, `amounts` are what each pool sent; if the last token
/// takes a fee, use the functions `...SupportingFeeOnTransferTokens`, which measure what `to` received. Buying exact amounts fails
/// with `ConstantProductPool_InvariantBroken` when too little arrives at a pool.
///
/// Differences from Router02: no `getAmountOut` and `getAmountIn` over reserves alone, because the fee of a pool may follow its
/// volatility: ask the pool, or `getAmountsOut` and `getAmountsIn`. A permit that somebody has already submitted does no harm. The
/// router refuses itself as a recipient. The last pool checks `amountOutMin` itself and reverts with its own error,
/// `ConstantProductPool_OutputBelowMinimum`, as pools do for other reasons that are theirs.
interface IRouter {
    /// @notice The deadline has passed.
    error Router_Expired(uint256 deadline, uint256 timestamp);

    /// @notice A path needs two tokens.
    error Router_PathTooShort(uint256 length);

    /// @notice The two tokens have no pool; a token has none with itself.
    error Router_PoolMissing(address tokenA, address tokenB);

    /// @notice Paths of ether begin with WETH when ether is sold and end with it when ether is bought.
    error Router_NotWeth(address token, address weth);

    /// @notice Tokens would be stuck in the router, and ether in WETH.
    error Router_InvalidRecipient(address to);

    /// @notice The recipient received less than the caller's bound.
    error Router_OutputBelowMinimum(uint256 amountOut, uint256 minAmountOut);

    /// @notice The price moved: the input is above the caller's bound, or above the ether sent along.
    error Router_InputAboveMaximum(uint256 amountIn, uint256 maxAmountIn);

    /// @notice The price moved: the amount of this token is below the caller's bound.
    error Router_AmountBelowMinimum(address token, uint256 amount, uint256 minAmount);

    /// @notice The permit was refused, and the allowance for the router is below the liquidity to remove.
    error Router_PermitRefused(uint256 allowance, uint256 liquidity);

    /// @notice The recipient did not accept the ether.
    error Router_EtherRefused(address to, uint256 amount);

    /// @notice Only WETH sends ether to the router.
    error Router_EtherNotFromWeth(address sender);

    // --------------------------------------------------------------------------------------------------------------- liquidity

    /// @notice Adds liquidity in the ratio of the reserves; creates the pool if there is none. The first deposit sets the ratio.
    /// @dev Pulls both tokens from the caller. Liquidity is minted for what arrives at the pool; the amounts are what was sent.
    /// Errors of the pool: `ConstantProductPool_ZeroLiquidity`, `ConstantProductMath_InitialLiquidityTooLow`.
    /// @param tokenA Either token.
    /// @param tokenB The other one.
    /// @param amountADesired Most of token A to add.
    /// @param amountBDesired Most of token B to add.
    /// @param amountAMin Least of token A to add.
    /// @param amountBMin Least of token B to add.
    /// @param to Receiver of the LP tokens.
    /// @param deadline Last second at which the call may run.
    /// @return amountA Units of token A added.
    /// @return amountB Units of token B added.
    /// @return liquidity LP token units minted.
    function addLiquidity(
        address tokenA,
        address tokenB,
        uint256 amountADesired,
        uint256 amountBDesired,
        uint256 amountAMin,
        uint256 amountBMin,
        address to,
        uint256 deadline
    ) external returns (uint256 amountA, uint256 amountB, uint256 liquidity);

    /// @notice As `addLiquidity`, with the ether sent along as the most to add; the rest of it returns to the caller.
    /// @param token The token beside WETH.
    /// @param amountTokenDesired Most of the token to add.
    /// @param amountTokenMin Least of the token to add.
    /// @param amountETHMin Least ether to add.
    /// @param to Receiver of the LP tokens.
    /// @param deadline Last second at which the call may run.
    /// @return amountToken Units of the token added.
    /// @return amountETH Ether added.
    /// @return liquidity LP token units minted.
    function addLiquidityETH(
        address token,
        uint256 amountTokenDesired,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline
    ) external payable returns (uint256 amountToken, uint256 amountETH, uint256 liquidity);

    /// @notice Burns the caller's LP tokens for their share of the pool.
    /// @dev Needs an allowance of LP tokens for the router. LP tokens that strangers sent to the pool are burned along, for the caller.
    /// @param tokenA Either token.
    /// @param tokenB The other one.
    /// @param liquidity LP token units to burn.
    /// @param amountAMin Least of token A that the pool must send.
    /// @param amountBMin Least of token B that the pool must send.
    /// @param to Receiver of both tokens.
    /// @param deadline Last second at which the call may run.
    /// @return amountA Units of token A sent.
    /// @return amountB Units of token B sent.
    function removeLiquidity(
        address tokenA,
        address tokenB,
        uint256 liquidity,
        uint256 amountAMin,
        uint256 amountBMin,
        address to,
        uint256 deadline
    ) external returns (uint256 amountA, uint256 amountB);

    /// @notice As `removeLiquidity`, with WETH paid out as ether.
    /// @dev Reverts with `TransferFailed` for a token that takes a fee on transfer.
    /// @param token The token beside WETH.
    /// @param liquidity LP token units to burn.
    /// @param amountTokenMin Least of the token accepted.
    /// @param amountETHMin Least ether accepted.
    /// @param to Receiver of both.
    /// @param deadline Last second at which the call may run.
    /// @return amountToken Units of the token sent.
    /// @return amountETH Ether sent.
    function removeLiquidityETH(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline
    ) external returns (uint256 amountToken, uint256 amountETH);

    /// @notice As `removeLiquidity`, with the allowance given by an ERC-2612 signature of the caller.
    /// @dev If the signature is refused, for instance because somebody submitted it before, an existing allowance serves as well.
    /// @param approveMax The signature is over the largest allowance instead of `liquidity`.
    /// @param deadline Last second at which the call may run, and the deadline that was signed.
    function removeLiquidityWithPermit(
        address tokenA,
        address tokenB,
        uint256 liquidity,
        uint256 amountAMin,
        uint256 amountBMin,
        address to,
        uint256 deadline,
        bool approveMax,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 amountA, uint256 amountB);

    /// @notice As `removeLiquidityETH`, with the allowance given as in `removeLiquidityWithPermit`.
    function removeLiquidityETHWithPermit(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline,
        bool approveMax,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 amountToken, uint256 amountETH);

    /// @notice As `removeLiquidityETH`, for tokens that take a fee on transfer: passes on whatever of the token has arrived.
    /// @param amountTokenMin Least of the token that the pool must send; the token takes its fee from that twice.
    /// @return amountETH Ether sent.
    function removeLiquidityETHSupportingFeeOnTransferTokens(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline
    ) external returns (uint256 amountETH);

    /// @notice As `removeLiquidityETHSupportingFeeOnTransferTokens`, with the allowance given as in `removeLiquidityWithPermit`.
    function removeLiquidityETHWithPermitSupportingFeeOnTransferTokens(
        address token,
        uint256 liquidity,
        uint256 amountTokenMin,
        uint256 amountETHMin,
        address to,
        uint256 deadline,
        bool approveMax,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 amountETH);

    // ------------------------------------------------------------------------------------------------------------------- swaps

    /// @notice Sells exactly `amountIn` of the first token for the last.
    /// @param amountIn Units of `path[0]` to pull from the caller.
    /// @param amountOutMin Least of the last token that the last pool must send.
    /// @param path Tokens, see above.
    /// @param to Receiver of the last token.
    /// @param deadline Last second at which the call may run.
    /// @return amounts `amountIn`, then what each pool sent.
    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);

    /// @notice Buys exactly `amountOut` of the last token with the first.
    /// @param amountOut Units of the last token that the last pool sends.
    /// @param amountInMax Most of `path[0]` to pull from the caller.
    /// @param path Tokens, see above.
    /// @param to Receiver of the last token.
    /// @param deadline Last second at which the call may run.
    /// @return amounts What was pulled from the caller, then what each pool sent.
    function swapTokensForExactTokens(
        uint256 amountOut,
        uint256 amountInMax,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);

    /// @notice Sells the ether sent along for the last token; `path` begins with WETH. Otherwise as `swapExactTokensForTokens`.
    function swapExactETHForTokens(
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external payable returns (uint256[] memory amounts);

    /// @notice Buys exactly `amountOut` of ether, in wei; `path` ends with WETH. Otherwise as `swapTokensForExactTokens`.
    function swapTokensForExactETH(
        uint256 amountOut,
        uint256 amountInMax,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);

    /// @notice Sells exactly `amountIn` of the first token for ether; `path` ends with WETH. Otherwise as `swapExactTokensForTokens`.
    function swapExactTokensForETH(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts);

    /// @notice Buys exactly `amountOut` of the last token with at most the ether sent along, the rest of which returns to the caller;
    /// `path` begins with WETH. Otherwise as `swapTokensForExactTokens`.
    function swapETHForExactTokens(
        uint256 amountOut,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external payable returns (uint256[] memory amounts);

    /// @notice As `swapExactTokensForTokens`, but `amountOutMin` is the least by which the balance of `to` must grow.
    function swapExactTokensForTokensSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external;

    /// @notice As `swapExactETHForTokens`, but `amountOutMin` is the least by which the balance of `to` must grow.
    function swapExactETHForTokensSupportingFeeOnTransferTokens(
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external payable;

    /// @notice As `swapExactTokensForETH`, without return values: ether takes no fee, and pools count what arrives.
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external;

    // ------------------------------------------------------------------------------------------------------------------- views

    /// @notice The factory whose pools are used.
    function factory() external view returns (address);

    /// @notice Wrapped ether.
    function WETH() external view returns (address);

    /// @notice Amount of token B worth `amountA` at the ratio of the reserves, without fee or impact, rounded down.
    /// @dev Errors: `ConstantProductMath_ZeroAmount`, `ConstantProductMath_ZeroReserve`.
    /// @param amountA Units of token A.
    /// @param reserveA Reserve of token A.
    /// @param reserveB Reserve of token B.
    function quote(
        uint256 amountA,
        uint256 reserveA,
        uint256 reserveB
    ) external pure returns (uint256 amountB);

    /// @notice What `swapExactTokensForTokens` would return now, fee on transfer aside; 0 where an input is too small to buy one unit.
    /// @dev Warning: reads live reserves, which anyone can move within a transaction. Never use it as a price.
    /// @param amountIn Units of `path[0]`.
    /// @param path Tokens, see above.
    function getAmountsOut(
        uint256 amountIn,
        address[] calldata path
    ) external view returns (uint256[] memory amounts);

    /// @notice What `swapTokensForExactTokens` would return now.
    /// @dev Warning: reads live reserves, which anyone can move within a transaction. Never use it as a price.
    /// @param amountOut Units of the last token.
    /// @param path Tokens, see above.
    function getAmountsIn(
        uint256 amountOut,
        address[] calldata path
    ) external view returns (uint256[] memory amounts);
}
