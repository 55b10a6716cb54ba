// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {MarginStorage} from "./MarginStorage.sol";

/// @title Risk states: worse at once, better only after having been better for a while
/// @notice Two latches make the state. One follows the solvency ratio through all states; the other says Guarded while a
/// shock to the net exposure would cost too much. The worse of the two counts.
library RiskStates {
    using SignedWadMath for int256;

    uint256 internal constant NORMAL_RATIO_WAD = 1.5e18;
    uint256 internal constant GUARDED_RATIO_WAD = 1.25e18;
    uint256 internal constant REDUCE_ONLY_RATIO_WAD = 1e18;
    /// A better state needs its own threshold and this much more, in every sync of half an hour.
    uint256 internal constant HYSTERESIS_WAD = 0.1e18;
    uint256 internal constant RECOVERY_PERIOD = 30 minutes;
    /// Deleveraging ends here, or at GUARDED_RATIO_WAD when it began because ReduceOnly lasted for a day.
    uint256 internal constant DELEVERAGED_RATIO_WAD = 1.05e18;
    uint256 internal constant REDUCE_ONLY_PERIOD = 24 hours;
    /// Rounds that count for deleveraging and settlement are this far apart.
    uint256 internal constant ROUND_SPACING = 10 minutes;
    uint256 internal constant BANKRUPT_ROUNDS = 3;

    /// @notice Moves the state to what solvency ratio, exposure and time say. Once a recovery can begin, repeating it
    /// in the same block changes nothing; the look that enters a state leaves that beginning to the next.
    function follow(MarginStorage.Storage storage self, MarginStorage.Context memory ctx) internal view {
        _followRatio(ctx);
        _followRounds(self, ctx);
        _followExposure(ctx);
        ctx.state = worse(ctx);
    }

    /// @notice The worse of the two latches.
    function worse(MarginStorage.Context memory ctx) internal pure returns (IMarginPool.RiskState) {
        return
            ctx.exposureGuarded && ctx.ratioState == IMarginPool.RiskState.Normal
                ? IMarginPool.RiskState.Guarded
                : ctx.ratioState;
    }

    /// @notice What a solvency ratio allows when `margin` is asked for above each threshold.
    function stateAt(uint256 ratioWad, uint256 margin) internal pure returns (IMarginPool.RiskState) {
        if (ratioWad >= NORMAL_RATIO_WAD + margin) return IMarginPool.RiskState.Normal;
        if (ratioWad >= GUARDED_RATIO_WAD + margin) return IMarginPool.RiskState.Guarded;
        return IMarginPool.RiskState.ReduceOnly;
    }

    /// @notice Solvency ratio at which deleveraging stops.
    function deleverageGoalWad(MarginStorage.Context memory ctx) internal pure returns (uint256) {
        return ctx.overdue ? GUARDED_RATIO_WAD : DELEVERAGED_RATIO_WAD;
    }

    function _followRatio(MarginStorage.Context memory ctx) private view {
        unchecked {
            uint256 ratio = ctx.solvencyRatioWad;
            IMarginPool.RiskState worst = stateAt(ratio, 0);
            if (worst > ctx.ratioState) return _enter(ctx, worst);
            if (
                ctx.ratioState == IMarginPool.RiskState.ReduceOnly &&
                block.timestamp >= ctx.stateSince + REDUCE_ONLY_PERIOD
            ) {
                _enter(ctx, IMarginPool.RiskState.Deleveraging);
                ctx.overdue = true;
            }
            if (ctx.ratioState == IMarginPool.RiskState.Deleveraging) {
                if (ratio < deleverageGoalWad(ctx)) return;
                // Whoever had to wait for a day need not wait again for a margin above the threshold.
                _enter(ctx, ctx.overdue ? IMarginPool.RiskState.Guarded : IMarginPool.RiskState.ReduceOnly);
                return;
            }
            IMarginPool.RiskState reached = stateAt(ratio, HYSTERESIS_WAD);
            if (reached >= ctx.ratioState) {
                if (ctx.recoverySince != 0) (ctx.recoverySince, ctx.advanced) = (0, true);
            } else if (ctx.recoverySince == 0) {
                (ctx.recoverySince, ctx.recoveryState) = (block.timestamp, reached);
                ctx.advanced = true;
            } else {
                if (reached > ctx.recoveryState) ctx.recoveryState = reached;
                if (block.timestamp >= ctx.recoverySince + RECOVERY_PERIOD) _enter(ctx, ctx.recoveryState);
            }
        }
    }

    function _enter(MarginStorage.Context memory ctx, IMarginPool.RiskState state) private view {
        ctx.ratioState = state;
        ctx.stateSince = block.timestamp;
        ctx.recoverySince = 0;
        ctx.overdue = false;
    }

    /// @dev SR < 1 on two rounds at least ten minutes apart: Deleveraging. E_bid <= 0 on three such rounds: Settled.
    function _followRounds(
        MarginStorage.Storage storage self,
        MarginStorage.Context memory ctx
    ) private view {
        bool low = ctx.solvencyRatioWad < REDUCE_ONLY_RATIO_WAD;
        if (!low && !ctx.distressed) return;
        MarginStorage.Distress memory d = ctx.distress;
        if (ctx.distressed && !ctx.distressLoaded) {
            d = self.distress;
            ctx.distress = d;
        }
        ctx.distressLoaded = true;
        ctx.distressed = low;
        if (!low) {
            ctx.advanced = true;
            (d.lowSince, d.bankruptAt, d.bankruptRounds) = (0, 0, 0);
            return;
        }
        uint40 publishedAt = uint40(ctx.market.updatedAt);
        if (d.lowSince == 0) d.lowSince = publishedAt;
        if (publishedAt >= d.lowSince + ROUND_SPACING && ctx.ratioState < IMarginPool.RiskState.Deleveraging)
            _enter(ctx, IMarginPool.RiskState.Deleveraging);
        if (ctx.equityBid > 0) {
            d.bankruptRounds = 0;
        } else if (d.bankruptRounds == 0 || publishedAt >= d.bankruptAt + ROUND_SPACING) {
            (d.bankruptAt, d.bankruptRounds) = (publishedAt, d.bankruptRounds + 1);
            if (d.bankruptRounds >= BANKRUPT_ROUNDS) _enter(ctx, IMarginPool.RiskState.Settled);
        }
    }

    function _followExposure(MarginStorage.Context memory ctx) private pure {
        int256 limit =
            ctx.exposureGuarded ? SolvencyMath.UNGUARDED_SHOCK_WAD : SolvencyMath.GUARDED_SHOCK_WAD;
        ctx.exposureGuarded = shockLoss(ctx) > limit.mulWadFloor(SolvencyMath.scalingEquity(ctx.equity));
    }

    /// @notice |D| P shock: what a shock to the exposure would cost, quote, 18 decimals.
    function shockLoss(MarginStorage.Context memory ctx) internal pure returns (int256) {
        return
            ctx.netExposure.magnitude().mulWadCeil(ctx.price).mulWadCeil(
                int256(SolvencyMath.shockWad(ctx.market.volatilityWad))
            );
    }
}
