// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SignedWadMath} from "./SignedWadMath.sol";
import {VolatilityMath} from "./VolatilityMath.sol";

/// @title Skew: its price, its speed limit and what it adds to the cost of rebalancing
/// @notice 18-decimal values; K and sizes in base, money in quote.
/// @dev Amounts are below 2^127 and prices below 2^120, as in SolvencyMath: products of two fit 256 bits unchecked.
library SkewMath {
    using SignedWadMath for int256;
    using FixedPointMathLib for uint256;

    int256 internal constant WAD = 1e18;
    uint256 internal constant UNIT = 1e18;
    /// At the cap of the skew one more base costs at most p_max = 5 % of the price.
    uint256 internal constant MAXIMUM_PREMIUM_WAD = 0.05e18;
    /// rho_s: price of variance, per equity.
    uint256 internal constant RISK_AVERSION = 5;
    /// m_x: skew scale per base of pool depth.
    uint256 internal constant DEPTH_MULTIPLE = 50;
    /// T_k: premiums and income reach LPs with this time constant; 1/365 of a year.
    uint256 internal constant INCOME_TIME_CONSTANT = 1 days;
    /// K_cap = 0.5 E / P.
    int256 internal constant SKEW_CAP_WAD = 0.5e18;
    /// Room for new skew: 10 % of equity, and as much again every 10 minutes.
    int256 internal constant SPEED_LIMIT_WAD = 0.1e18;
    uint256 internal constant SPEED_PERIOD = 10 minutes;
    /// skewScale_mm falls by at most 10 % per hour.
    uint256 internal constant MAINTENANCE_FALL_PER_HOUR_WAD = 0.1e18;

    /// @notice K_cap = 0.5 E / P.
    function skewCap(int256 equity, int256 price) internal pure returns (int256) {
        unchecked {
            return ((SKEW_CAP_WAD * equity) / price).max(1);
        }
    }

    /// @notice skewScale = max(K_cap / p_max, min(1 / ((rho_s / E) sigma^2 P T_k), m_x x_ema)), base.
    function skewScale(
        int256 equity,
        int256 price,
        uint256 sigmaWad,
        uint256 depthBase
    ) internal pure returns (uint256) {
        unchecked {
            // 1 / T_k is 365 per year, so E / (rho_s sigma^2 P T_k) = 365 E / (rho_s sigma^2 P). E x 365e36 is below 2^256.
            uint256 daysPerYear = VolatilityMath.YEAR / INCOME_TIME_CONSTANT;
            uint256 variance = (sigmaWad * sigmaWad) / UNIT;
            uint256 byRisk =
                (((uint256(equity) * daysPerYear * UNIT) / (RISK_AVERSION * variance)) * UNIT) /
                    uint256(price);
            return byRisk.min(DEPTH_MULTIPLE * depthBase).max(leastSkewScale(equity, price));
        }
    }

    /// @notice skewScale_mm rises at once and falls by at most 10 % per hour, elapsed time counting at most ten
    /// minutes per update, like sigma_mm.
    function maintenanceSkewScale(
        uint256 maintenance,
        uint256 current,
        uint256 elapsed
    ) internal pure returns (uint256) {
        unchecked {
            uint256 counted = elapsed.min(VolatilityMath.MAINTENANCE_MAXIMUM_ELAPSED);
            uint256 fall = (MAINTENANCE_FALL_PER_HOUR_WAD * counted) / 1 hours;
            return current.max(maintenance.mulWad(UNIT - fall));
        }
    }

    /// @notice The scale at which one more base costs p_max at the cap of the skew: skewScale is never below it.
    function leastSkewScale(int256 equity, int256 price) internal pure returns (uint256) {
        unchecked {
            return (uint256(skewCap(equity, price)) * UNIT) / MAXIMUM_PREMIUM_WAD;
        }
    }

    /// @notice What a change of the skew does to the premium ledger J.
    /// @param paid by a trade that raises |K|, rounded up
    /// @param booked into J of what was paid, rounded down; the difference is income
    /// @param kept of J after the skew fell, rounded down
    /// @param rebate of what J lost, to a trade that lowers |K|, rounded down; the rest of it is income
    struct Premium {
        uint256 paid;
        uint256 booked;
        uint256 kept;
        uint256 rebate;
    }

    /// @notice With j = J / K^2 and c = P / (2 skewScale): raising |K| to |K'| costs max(c, min(j, c_max)) per K'^2 - K^2;
    /// lowering it pays back min(c, j) (K^2 - K'^2) for skew that is older than this round, and J falls to J (K'/K)^2;
    /// across zero the two in turn. At one price and c no closed walk profits its participants: steps up pay at least
    /// c per unit of K^2, steps down get at most c and never more than J holds. J is rounded down, so that dust left
    /// at a tiny skew cannot make j, the price of the next step, large.
    /// @param ledger J
    /// @param rebateable part of K that is older than this round
    /// @param scale skewScale
    /// @param leastScale skewScale at c_max
    function premium(
        uint256 ledger,
        int256 skewBefore,
        int256 skewAfter,
        int256 rebateable,
        uint256 price,
        uint256 scale,
        uint256 leastScale
    ) internal pure returns (Premium memory p) {
        unchecked {
            uint256 before = uint256(skewBefore.magnitude());
            uint256 next = uint256(skewAfter.magnitude());
            bool crosses = skewBefore.oppositeSigns(skewAfter);
            (uint256 low, uint256 from) = crosses ? (0, 0) : (next, before);

            p.kept = premiumKeptDown(ledger, skewBefore, skewAfter);
            if (low < before) {
                uint256 old = uint256(retained(rebateable, skewBefore).magnitude());
                if (old > low) {
                    uint256 squares = old * old - low * low;
                    p.rebate = ledger.fullMulDiv(squares, before * before).min(
                        _atPrice(squares, price, scale)
                    );
                }
            }
            if (next > from) {
                uint256 squares = next * next - from * from;
                p.booked = _atPrice(squares, price, scale);
                if (from != 0) {
                    uint256 byLedger = ledger.fullMulDiv(squares, from * from);
                    p.booked = p.booked.max(byLedger.min(_atPrice(squares, price, leastScale)));
                }
                p.paid = p.booked + 1;
            }
        }
    }

    /// @dev c x `squares`, rounded down.
    function _atPrice(uint256 squares, uint256 price, uint256 scale) private pure returns (uint256) {
        unchecked {
            return squares.fullMulDiv(price, 2 * scale) / UNIT;
        }
    }

    /// @notice J (K'/K)^2 when |K| falls, 0 across zero, J otherwise. Rounded down.
    function premiumKeptDown(
        uint256 ledger,
        int256 skewBefore,
        int256 skewAfter
    ) internal pure returns (uint256) {
        if (skewBefore.oppositeSigns(skewAfter)) return 0;
        uint256 before = uint256(skewBefore.magnitude());
        uint256 next = uint256(skewAfter.magnitude());
        if (next >= before) return ledger;
        return ledger.fullMulDiv(next * next, before * before);
    }

    /// @notice K_ref after `elapsed`: falls with |K| at once, to 0 on a change of sign, rises by 10 % of equity per
    /// 10 minutes.
    function referenceAfter(
        int256 reference_,
        int256 skew,
        int256 equity,
        int256 price,
        uint256 elapsed
    ) internal pure returns (int256) {
        unchecked {
            int256 start = retained(reference_, skew);
            int256 rise = (((SPEED_LIMIT_WAD * equity) / price) * int256(elapsed)) / int256(SPEED_PERIOD);
            int256 reached = (start.magnitude() + rise).min(skew.magnitude());
            return skew < 0 ? -reached : reached;
        }
    }

    /// @notice The part of a reference that a skew still supports: the smaller magnitude, 0 on a change of sign.
    function retained(int256 reference_, int256 skew) internal pure returns (int256) {
        if (reference_.oppositeSigns(skew)) return 0;
        return reference_.magnitude() < skew.magnitude() ? reference_ : skew;
    }

    /// @notice The part of a trade that the speed limit lets through: all of one that lowers |K| on the same side;
    /// otherwise up to |K'| = |K_ref| + 10 % of equity, where K_ref counts as 0 on the other side of zero. A trade
    /// across zero builds new skew however small the old one was, so it is limited there.
    /// @return allowed same sign as `sizeDelta`, possibly zero
    /// @return limit the largest |K'| now
    function speedLimited(
        int256 skew,
        int256 sizeDelta,
        int256 reference_,
        int256 equity,
        int256 price
    ) internal pure returns (int256 allowed, int256 limit) {
        unchecked {
            int256 after_ = skew + sizeDelta;
            int256 kept = after_.oppositeSigns(reference_) ? int256(0) : reference_.magnitude();
            limit = kept + (SPEED_LIMIT_WAD * equity) / price;
            if (!builds(skew, after_) || after_.magnitude() <= limit) return (sizeDelta, limit);
            allowed = (after_ < 0 ? -limit : limit) - skew;
            if (allowed.oppositeSigns(sizeDelta)) allowed = 0;
        }
    }

    /// @notice Whether moving the skew from K to K' builds skew: |K| grows, or K changes sign.
    function builds(int256 skewBefore, int256 skewAfter) internal pure returns (bool) {
        return skewBefore.oppositeSigns(skewAfter) || skewAfter.magnitude() > skewBefore.magnitude();
    }

    /// @notice phi P (max(0, |D'| - h_in) - max(0, |D| - h_in)), not below 0; the full phi P max(0, |D'| - h_in) when
    /// the exposure changes sign. Rounded up.
    function hedgeChargeUp(
        int256 exposure,
        int256 exposureAfter,
        int256 innerBand,
        int256 price,
        uint256 ratePpm
    ) internal pure returns (uint256) {
        unchecked {
            int256 excess = (exposureAfter.magnitude() - innerBand).max(0);
            if (!exposure.oppositeSigns(exposureAfter)) {
                excess = (excess - (exposure.magnitude() - innerBand).max(0)).max(0);
            }
            return uint256(excess.mulWadCeil(price)).fullMulDivUp(ratePpm, 1e6);
        }
    }
}
