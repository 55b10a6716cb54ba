// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {PoolHistory} from "../libraries/PoolHistory.sol";
import {PoolOracleMath} from "../libraries/PoolOracleMath.sol";
import {PoolReserves} from "../libraries/PoolReserves.sol";

/// @title PoolState
/// @notice What a pool is made with and what it keeps: tokens and fee rule in code, reserves and price history in a slot each.
abstract contract PoolState is IConstantProductPool {
    /// @inheritdoc IConstantProductPool
    address public immutable override factory;
    /// @inheritdoc IConstantProductPool
    address public immutable override token0;
    /// @inheritdoc IConstantProductPool
    address public immutable override token1;
    bool internal immutable _isFeeFixed;
    uint256 internal immutable _minSwapFee;
    uint256 internal immutable _maxSwapFee;
    uint256 internal immutable _volatilityFeeMultiplierWad;
    bytes32 internal immutable _initCodeHash;

    /// @dev One slot: both reserves and the time of the last touch.
    PoolReserves internal _reserves;

    /// @dev One slot, written at most once per block: log prices, variance rate and fee.
    PoolHistory internal _history;

    /// @inheritdoc IConstantProductPool
    uint256 public override kLast;

    /// @dev No arguments: the factory provides them, and all pools share one init code hash.
    constructor() {
        IPoolFactory.PoolParameters memory parameters = IPoolFactory(msg.sender).poolParameters();
        factory = msg.sender;
        token0 = parameters.token0;
        token1 = parameters.token1;
        _isFeeFixed = parameters.minSwapFee == parameters.maxSwapFee;
        _minSwapFee = parameters.minSwapFee;
        _maxSwapFee = parameters.maxSwapFee;
        _volatilityFeeMultiplierWad = parameters.volatilityFeeMultiplierWad;
        _initCodeHash = parameters.initCodeHash;
    }

    /// @dev The first call in a block records the price that stood until then; every operation that may move the price makes it before
    /// the reserves change. Returns the fee of this block.
    function _touch(PoolReserves reserves) internal returns (uint256 swapFee_) {
        uint256 elapsed = reserves.elapsed();
        if (elapsed != 0) {
            PoolHistory history = _touched(reserves, elapsed);
            _history = history;
            swapFee_ = history.swapFee();
        } else {
            swapFee_ = _isFeeFixed ? _minSwapFee : _history.swapFee();
        }
    }

    function _historyNow() internal view returns (PoolHistory) {
        PoolReserves reserves = _reserves;
        uint256 elapsed = reserves.elapsed();
        return elapsed == 0 ? _history : _touched(reserves, elapsed);
    }

    function _touched(PoolReserves reserves, uint256 elapsed) private view returns (PoolHistory history) {
        history = PoolOracleMath.touched(_history, reserves.reserve0(), reserves.reserve1(), elapsed);
        uint256 swapFee_ = _minSwapFee;
        if (!_isFeeFixed) {
            swapFee_ = PoolOracleMath.swapFeeDown(
                history.varianceRateWad(),
                swapFee_,
                _maxSwapFee,
                _volatilityFeeMultiplierWad
            );
        }
        history = history.withSwapFee(swapFee_);
    }
}
