// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Factory and registry of constant-product pools
/// @notice One pool per pair of tokens, at an address that follows from the two tokens alone. The functions and the event of the
/// Uniswap V2 factory keep their names and meaning.
/// @dev All fees are in millionths: 1e6 = 100 %.
interface IPoolFactory {
    /// @notice What a pool reads from the factory while it is being created.
    /// @param token0 The token with the lower address.
    /// @param token1 The token with the higher address.
    /// @param minSwapFee Lowest swap fee, 1e6 = 100 %.
    /// @param maxSwapFee Highest swap fee, 1e6 = 100 %.
    /// @param volatilityFeeMultiplierWad Fee per unit of volatility, in square-root seconds, 1e18.
    /// @param initCodeHash Hash of the pool's own creation code, from which it derives the addresses of other pools.
    struct PoolParameters {
        address token0;
        address token1;
        uint24 minSwapFee;
        uint24 maxSwapFee;
        uint256 volatilityFeeMultiplierWad;
        bytes32 initCodeHash;
    }

    /// @notice A pool was created.
    /// @param token0 The token with the lower address.
    /// @param token1 The token with the higher address.
    /// @param pair The pool.
    /// @param pairCount Number of pools, including this one.
    event PairCreated(address indexed token0, address indexed token1, address pair, uint256 pairCount);

    /// @notice The receiver of the protocol's share of fees changed; the zero address switches the share off.
    event FeeToSet(address indexed feeTo);

    /// @notice The account that may change the receiver changed; the zero address gives that right up for good.
    event FeeToSetterSet(address indexed feeToSetter);

    /// @notice The fee bounds are in the wrong order or above what is allowed.
    error PoolFactory_SwapFeeOutOfBounds(
        uint24 minSwapFee,
        uint24 maxSwapFee,
        uint24 minSwapFeeLimit,
        uint24 maxSwapFeeLimit
    );

    /// @notice The volatility multiplier is above what is allowed.
    error PoolFactory_VolatilityFeeMultiplierTooHigh(uint256 multiplierWad, uint256 limitWad);

    /// @notice A pool needs two different tokens.
    error PoolFactory_IdenticalTokens(address token);

    /// @notice A pool's token cannot be the zero address.
    error PoolFactory_ZeroToken();

    /// @notice The two tokens have a pool already.
    error PoolFactory_PairExists(address pair);

    /// @notice The token does not answer `decimals()`.
    error PoolFactory_TokenWithoutDecimals(address token);

    /// @notice The token has more decimals than a pool can price.
    error PoolFactory_TooManyDecimals(address token, uint256 decimals, uint256 limit);

    /// @notice Only the account `feeToSetter` may do this.
    error PoolFactory_NotFeeToSetter(address caller, address feeToSetter);

    /// @notice Creates the pool of two tokens; anyone may call. The order of the arguments does not matter.
    /// @dev Refuses identical and zero tokens, tokens without `decimals()` or with more than 18, and pairs that exist.
    /// Assumptions about tokens: no callback can move a third party's balance, and `balanceOf` of the pool changes only by transfers
    /// or by the token's own rebasing. A token that reports its decimals falsely harms nobody but the users of its own pools.
    /// @return pair The new pool.
    function createPair(address tokenA, address tokenB) external returns (address pair);

    /// @notice Sets the receiver of the protocol's share: one sixth of the growth of sqrt(k). Zero switches it off.
    function setFeeTo(address newFeeTo) external;

    /// @notice Hands the right to call `setFeeTo` to another account. Zero gives it up for good.
    function setFeeToSetter(address newFeeToSetter) external;

    /// @notice The pool of two tokens in any order, or the zero address.
    function getPair(address tokenA, address tokenB) external view returns (address pair);

    /// @notice The pool with this number, counted from 0 in the order of creation.
    function allPairs(uint256 index) external view returns (address pair);

    /// @notice Number of pools.
    function allPairsLength() external view returns (uint256);

    /// @notice Receiver of the protocol's share of fees; zero while the share is off.
    function feeTo() external view returns (address);

    /// @notice Account that may change `feeTo`.
    function feeToSetter() external view returns (address);

    /// @notice Lowest swap fee of every pool, 1e6 = 100 %.
    function minSwapFee() external view returns (uint24);

    /// @notice Highest swap fee of every pool, 1e6 = 100 %. Equal to `minSwapFee`: the fee is fixed.
    function maxSwapFee() external view returns (uint24);

    /// @notice Fee per unit of volatility, in square-root seconds, 1e18. Without effect while the fee bounds are equal.
    function volatilityFeeMultiplierWad() external view returns (uint256);

    /// @notice Hash of the creation code shared by all pools: a pool's address is the CREATE2 address of this factory, the salt
    /// `keccak256(abi.encodePacked(token0, token1))` and this hash.
    function poolInitCodeHash() external view returns (bytes32);

    /// @notice Parameters of the pool being created in this very call; all zero at any other time.
    function poolParameters() external view returns (PoolParameters memory);
}
