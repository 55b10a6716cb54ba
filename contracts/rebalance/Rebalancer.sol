// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IRebalancer} from "../interfaces/IRebalancer.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {ConstantProductMath} from "../libraries/ConstantProductMath.sol";
import {RebalanceMath} from "../libraries/RebalanceMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";

/// @title Rebalancer
/// @notice See IRebalancer.
/// @dev Created by the margin pool, which is the only contract it acts for.
contract Rebalancer is IRebalancer {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SignedWadMath for int256;

    uint256 private constant WAD = 1e18;
    uint256 private constant PPM = 1e6;

    IMarginPool private immutable MARGIN_POOL;
    IConstantProductPool private immutable POOL;
    IVolatilityOracle private immutable VOLATILITY_ORACLE;
    address private immutable BASE;
    bool private immutable BASE_IS_TOKEN0;
    uint256 private immutable BASE_SCALE;
    uint256 private immutable QUOTE_SCALE;

    // slot 0: 16 + 10 + 5 = 31 bytes
    uint128 private _lastTargetWad; // b* at the last sample, base
    uint80 private _lastRoundId; // feed round of the last sample, 0 before the first
    uint40 private _lastSampledAt; // unix seconds
    // slot 1: 16 + 5 = 21 bytes
    uint128 private _targetVarianceWad; // nu^2, (share of equity)^2 per year
    uint40 private _lastTradeAt; // unix seconds
    // slot 2
    uint256 private _lastDepthWad; // re-marked depth at the last sample, base

    /// @param initialTargetVolatilityWad what the target moves in a day before it was measured, share of equity, 1e18
    constructor(
        IERC20Metadata base,
        IERC20Metadata quote,
        IConstantProductPool pool_,
        IVolatilityOracle volatilityOracle,
        uint256 initialTargetVolatilityWad
    ) {
        (address token0, address token1) = (pool_.token0(), pool_.token1());
        bool baseFirst = token0 == address(base) && token1 == address(quote);
        if (!baseFirst && (token1 != address(base) || token0 != address(quote))) {
            revert Rebalancer_PoolTokensMismatch(address(pool_), token0, token1);
        }
        if (
            initialTargetVolatilityWad < RebalanceMath.MINIMUM_DAILY_MOVE_WAD ||
            initialTargetVolatilityWad > WAD
        ) {
            revert Rebalancer_InitialTargetVolatilityOutOfBounds(
                initialTargetVolatilityWad,
                RebalanceMath.MINIMUM_DAILY_MOVE_WAD,
                WAD
            );
        }
        MARGIN_POOL = IMarginPool(msg.sender);
        POOL = pool_;
        VOLATILITY_ORACLE = volatilityOracle;
        BASE = address(base);
        BASE_IS_TOKEN0 = baseFirst;
        BASE_SCALE = 10 ** (18 - base.decimals());
        QUOTE_SCALE = 10 ** (18 - quote.decimals());
        _targetVarianceWad = RebalanceMath.targetVarianceOf(initialTargetVolatilityWad).toUint128();
    }

    /// @inheritdoc IRebalancer
    function marginPool() external view returns (address) {
        return address(MARGIN_POOL);
    }

    /// @inheritdoc IRebalancer
    function pool() external view returns (address) {
        return address(POOL);
    }

    /// @inheritdoc IRebalancer
    function bandState() external view returns (uint256, uint256, uint256, uint80) {
        return (_targetVarianceWad, _lastTargetWad / BASE_SCALE, _lastSampledAt, _lastRoundId);
    }

    /// @inheritdoc IRebalancer
    function previewRebalance() external view returns (Plan memory plan) {
        return _plan(MARGIN_POOL.snapshot());
    }

    /// @inheritdoc IRebalancer
    function rebalance() external returns (Plan memory plan) {
        IMarginPool.Snapshot memory s = MARGIN_POOL.sync();
        plan = _plan(s);
        if (plan.reason != Reason.Due) {
            revert Rebalancer_NotDue(plan.reason, plan.netExposureBase, plan.outerBand, plan.outsideSince);
        }
        _lastTradeAt = uint40(block.timestamp);
        (uint256 quoteAmount, IMarginPool.Snapshot memory next) = MARGIN_POOL.tradeWithPool(
            plan.sellBase,
            plan.amountBase,
            plan.quoteLimit
        );
        int256 exposureAfter = next.netExposureWad / int256(BASE_SCALE);
        bool shrank = next.netExposureWad.magnitude() < s.netExposureWad.magnitude();
        if (!shrank || next.netExposureWad.oppositeSigns(s.netExposureWad)) {
            revert Rebalancer_ExposureNotReduced(plan.netExposureBase, exposureAfter);
        }
        int256 direction = plan.sellBase ? int256(1) : int256(-1);
        int256 oracleValue = int256(_valueDown(plan.amountBase, s.indexPriceWad));
        emit Rebalanced(
            msg.sender,
            -direction * int256(plan.amountBase),
            direction * int256(quoteAmount),
            s.indexPriceWad,
            direction * (oracleValue - int256(quoteAmount)),
            plan.netExposureBase,
            exposureAfter
        );
        _measure(next);
    }

    /// @inheritdoc IRebalancer
    function poke() external {
        VOLATILITY_ORACLE.poke();
        _measure(MARGIN_POOL.sync());
    }

    // -------------------------------------------------------------------- plan

    /// @dev The one calculation behind preview and action.
    function _plan(IMarginPool.Snapshot memory s) private view returns (Plan memory plan) {
        plan.sellBase = s.netExposureWad > 0;
        plan.netExposureBase = s.netExposureWad / int256(BASE_SCALE);
        plan.targetInventoryBase = uint256(s.targetInventoryBaseWad) / BASE_SCALE;
        plan.outerBand = s.outerBandWad / BASE_SCALE;
        plan.innerBand = RebalanceMath.innerBand(s.outerBandWad) / BASE_SCALE;
        plan.outsideSince = s.outsideSince;
        plan.episodeOpen = s.episodeOpen;
        plan.reason = _chunk(s, plan);
    }

    /// @dev Size and limit of the next chunk, or why there is none.
    function _chunk(IMarginPool.Snapshot memory s, Plan memory plan) private view returns (Reason) {
        if (s.equityBidWad <= 0) return Reason.Insolvent;
        if (s.outsideSince == 0) return Reason.InsideBand;
        if (!s.episodeOpen) return Reason.NotYetEligible;
        if (_lastTradeAt == block.timestamp) return Reason.AlreadyThisBlock;

        (uint256 reserveBase, uint256 reserveQuote) = _reserves();
        uint256 fee = POOL.swapFee();
        (uint256 markedBase, uint256 markedQuote) = RebalanceMath.remarkedReserves(
            reserveBase * BASE_SCALE,
            reserveQuote * QUOTE_SCALE,
            s.indexPriceWad
        );
        uint256 excess = uint256(s.netExposureWad.magnitude()) - RebalanceMath.innerBand(s.outerBandWad);
        // The live reserve can be moved by a swap, the re-marked one by liquidity that is only there for the moment,
        // the average by neither: the smallest counts.
        uint256 depth = markedBase.min(reserveBase * BASE_SCALE).min(s.depthBaseWad);
        uint256 amount = excess.min((depth * RebalanceMath.maximumChunkPpm(fee)) / PPM) / BASE_SCALE;
        if (amount == 0) return Reason.PoolTooShallow;

        plan.amountBase = amount;
        plan.toleranceWad = RebalanceMath.toleranceWad(fee, block.timestamp - s.outsideSince);
        markedBase /= BASE_SCALE;
        markedQuote /= QUOTE_SCALE;
        if (plan.sellBase) {
            uint256 out = ConstantProductMath.amountOutDown(amount, markedBase, markedQuote, fee);
            plan.quoteLimit = out.mulWadUp(WAD - plan.toleranceWad);
            return
                amount * BASE_SCALE > uint256(s.inventoryBaseWad) ? Reason.InsufficientInventory : Reason.Due;
        }
        uint256 cost = ConstantProductMath.amountInUp(amount, markedQuote, markedBase, fee);
        plan.quoteLimit = cost.mulWad(WAD + plan.toleranceWad);
        return
            plan.quoteLimit * QUOTE_SCALE > uint256(s.availableQuoteWad)
                ? Reason.InsufficientInventory
                : Reason.Due;
    }

    function _reserves() private view returns (uint256 reserveBase, uint256 reserveQuote) {
        (uint112 reserve0, uint112 reserve1, ) = POOL.getReserves();
        return BASE_IS_TOKEN0 ? (reserve0, reserve1) : (reserve1, reserve0);
    }

    function _valueDown(uint256 amountBase, uint256 priceWad) private view returns (uint256) {
        return (amountBase * BASE_SCALE).mulWad(priceWad) / QUOTE_SCALE;
    }

    // -------------------------------------------------------------------- band

    /// @dev Once per round: variance rate of the target, depth and cost of the pool, and the band they make. Sampling
    /// per round and not per call keeps it the same whoever calls and however often.
    function _measure(IMarginPool.Snapshot memory s) private {
        if (s.riskState == IMarginPool.RiskState.Settled) return; // by this very call
        uint256 elapsed = block.timestamp - _lastSampledAt;
        // Before the first liquidity there is nothing to measure, and nothing may stand for the first sample.
        if (s.roundId == _lastRoundId || elapsed == 0 || MARGIN_POOL.totalSupply() == 0) return;
        uint256 equity = uint256(SolvencyMath.scalingEquity(s.equityWad));
        uint256 variance = _targetVarianceWad;
        if (_lastRoundId != 0) {
            uint256 move = FixedPointMathLib.dist(uint256(s.targetInventoryBaseWad), _lastTargetWad);
            uint256 share = move.fullMulDiv(s.indexPriceWad, equity);
            variance = RebalanceMath.updatedTargetVarianceWad(variance, share, elapsed);
        }
        _lastTargetWad = uint256(s.targetInventoryBaseWad).toUint128();
        _lastRoundId = s.roundId;
        _lastSampledAt = uint40(block.timestamp);
        _targetVarianceWad = variance.toUint128();

        uint256 depth = _depth(s, elapsed);
        uint256 cost = RebalanceMath.unwindCostPpm(POOL.swapFee());
        uint256 outer = RebalanceMath.outerBand(
            variance,
            equity,
            s.indexPriceWad,
            s.volatilityWad,
            cost,
            SolvencyMath.shockWad(s.volatilityWad)
        );
        emit BandUpdated(outer / BASE_SCALE, variance, depth / BASE_SCALE, cost);
        MARGIN_POOL.cacheBand(outer, depth, cost);
        MARGIN_POOL.sync(); // the exposure is now judged by the new band
    }

    /// @dev x_ema after this sample. Depth counts once it has stood in two samples in a row: liquidity that is only
    /// there while somebody calls leaves no trace.
    function _depth(IMarginPool.Snapshot memory s, uint256 elapsed) private returns (uint256) {
        (uint256 reserveBase, uint256 reserveQuote) = _reserves();
        (uint256 depth, ) = RebalanceMath.remarkedReserves(
            reserveBase * BASE_SCALE,
            reserveQuote * QUOTE_SCALE,
            s.indexPriceWad
        );
        uint256 last = _lastDepthWad;
        _lastDepthWad = depth;
        if (last == 0) return depth; // the first sample of a pool that holds anything
        return RebalanceMath.updatedDepth(s.depthBaseWad, depth.min(last), elapsed);
    }
}
