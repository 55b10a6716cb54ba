// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {ConstantProductPool} from "./ConstantProductPool.sol";

/// @title PoolFactory
/// @notice See `IPoolFactory`.
contract PoolFactory is IPoolFactory {
    /// @dev 1 %: a pool must not be born so dear that no arbitrage corrects it.
    uint24 private constant MIN_SWAP_FEE_LIMIT = 10_000;
    /// @dev 5 %: the most that volatility may ever make a trader pay.
    uint24 private constant MAX_SWAP_FEE_LIMIT = 50_000;
    /// @dev 100 square-root seconds.
    uint256 private constant VOLATILITY_FEE_MULTIPLIER_LIMIT_WAD = 100e18;
    /// @dev All formulas run on at most 18 decimals.
    uint256 private constant DECIMALS_LIMIT = 18;

    /// @inheritdoc IPoolFactory
    uint24 public immutable override minSwapFee;
    /// @inheritdoc IPoolFactory
    uint24 public immutable override maxSwapFee;
    /// @inheritdoc IPoolFactory
    uint256 public immutable override volatilityFeeMultiplierWad;
    /// @inheritdoc IPoolFactory
    bytes32 public immutable override poolInitCodeHash;

    /// @inheritdoc IPoolFactory
    address public override feeTo;
    /// @inheritdoc IPoolFactory
    address public override feeToSetter;
    /// @inheritdoc IPoolFactory
    mapping(address tokenA => mapping(address tokenB => address pair)) public override getPair;
    /// @inheritdoc IPoolFactory
    address[] public override allPairs;

    /// @dev The pool's constructor takes no arguments, so that all pools share one init code hash; it reads these instead.
    address private transient _newToken0;
    address private transient _newToken1;

    /// @param feeToSetter_ Account that may switch the protocol's share of fees on.
    /// @param minSwapFee_ Lowest swap fee of every pool, 1e6 = 100 %.
    /// @param maxSwapFee_ Highest swap fee of every pool, 1e6 = 100 %; equal bounds fix the fee.
    /// @param volatilityFeeMultiplierWad_ Fee per unit of volatility, in square-root seconds, 1e18.
    constructor(
        address feeToSetter_,
        uint24 minSwapFee_,
        uint24 maxSwapFee_,
        uint256 volatilityFeeMultiplierWad_
    ) {
        if (
            minSwapFee_ > maxSwapFee_ || minSwapFee_ > MIN_SWAP_FEE_LIMIT || maxSwapFee_ > MAX_SWAP_FEE_LIMIT
        ) {
            revert PoolFactory_SwapFeeOutOfBounds(
                minSwapFee_,
                maxSwapFee_,
                MIN_SWAP_FEE_LIMIT,
                MAX_SWAP_FEE_LIMIT
            );
        }
        if (volatilityFeeMultiplierWad_ > VOLATILITY_FEE_MULTIPLIER_LIMIT_WAD) {
            revert PoolFactory_VolatilityFeeMultiplierTooHigh(
                volatilityFeeMultiplierWad_,
                VOLATILITY_FEE_MULTIPLIER_LIMIT_WAD
            );
        }

        minSwapFee = minSwapFee_;
        maxSwapFee = maxSwapFee_;
        volatilityFeeMultiplierWad = volatilityFeeMultiplierWad_;
        poolInitCodeHash = keccak256(type(ConstantProductPool).creationCode);
        feeToSetter = feeToSetter_;
        emit FeeToSetterSet(feeToSetter_);
    }

    /// @inheritdoc IPoolFactory
    function createPair(address tokenA, address tokenB) external override returns (address pair) {
        if (tokenA == tokenB) revert PoolFactory_IdenticalTokens(tokenA);
        (address token0, address token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
        if (token0 == address(0)) revert PoolFactory_ZeroToken();
        if (getPair[token0][token1] != address(0)) revert PoolFactory_PairExists(getPair[token0][token1]);
        _requirePriceable(token0);
        _requirePriceable(token1);

        (_newToken0, _newToken1) = (token0, token1);
        pair = address(new ConstantProductPool{salt: keccak256(abi.encodePacked(token0, token1))}());
        (_newToken0, _newToken1) = (address(0), address(0));

        getPair[token0][token1] = pair;
        getPair[token1][token0] = pair;
        allPairs.push(pair);
        emit PairCreated(token0, token1, pair, allPairs.length);
    }

    /// @inheritdoc IPoolFactory
    function setFeeTo(address newFeeTo) external override {
        _requireFeeToSetter();
        feeTo = newFeeTo;
        emit FeeToSet(newFeeTo);
    }

    /// @inheritdoc IPoolFactory
    function setFeeToSetter(address newFeeToSetter) external override {
        _requireFeeToSetter();
        feeToSetter = newFeeToSetter;
        emit FeeToSetterSet(newFeeToSetter);
    }

    /// @inheritdoc IPoolFactory
    function allPairsLength() external view override returns (uint256) {
        return allPairs.length;
    }

    /// @inheritdoc IPoolFactory
    function poolParameters() external view override returns (PoolParameters memory parameters) {
        if (_newToken0 == address(0)) return parameters;
        return
            PoolParameters(
                _newToken0,
                _newToken1,
                minSwapFee,
                maxSwapFee,
                volatilityFeeMultiplierWad,
                poolInitCodeHash
            );
    }

    function _requireFeeToSetter() private view {
        if (msg.sender != feeToSetter) revert PoolFactory_NotFeeToSetter(msg.sender, feeToSetter);
    }

    /// @dev A static call: the token cannot re-enter with effect here. Accounts without code answer with no data and are refused too.
    function _requirePriceable(address token) private view {
        (bool success, bytes memory result) = token.staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        if (!success || result.length < 32) revert PoolFactory_TokenWithoutDecimals(token);
        uint256 decimals = abi.decode(result, (uint256));
        if (decimals > DECIMALS_LIMIT) revert PoolFactory_TooManyDecimals(token, decimals, DECIMALS_LIMIT);
    }
}
