// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SkewMath} from "../libraries/SkewMath.sol";

/// @title External face of SkewMath for tests
/// @notice Each function calls its namesake of the library; `walk` calls `premium` along a path.
contract SkewMathHarness {
    function skewCap(int256 equity, int256 price) external pure returns (int256) {
        return SkewMath.skewCap(equity, price);
    }

    function skewScale(
        int256 equity,
        int256 price,
        uint256 sigmaWad,
        uint256 depthBase
    ) external pure returns (uint256) {
        return SkewMath.skewScale(equity, price, sigmaWad, depthBase);
    }

    function maintenanceSkewScale(
        uint256 maintenance,
        uint256 current,
        uint256 elapsed
    ) external pure returns (uint256) {
        return SkewMath.maintenanceSkewScale(maintenance, current, elapsed);
    }

    function premium(
        uint256 ledger,
        int256 skewBefore,
        int256 skewAfter,
        int256 rebateable,
        uint256 price,
        uint256 scale,
        uint256 leastScale
    ) external pure returns (SkewMath.Premium memory) {
        return SkewMath.premium(ledger, skewBefore, skewAfter, rebateable, price, scale, leastScale);
    }

    /// @notice Takes the skew along `skews`, all of it older than the round, with a ledger that counts in `unit`: what
    /// the trader pays is rounded up to it, everything else down.
    /// @return steps premium of each step, one fewer than there are skews
    function walk(
        uint256 ledger,
        int256[] calldata skews,
        uint256 price,
        uint256 scale,
        uint256 leastScale,
        uint256 unit
    ) external pure returns (SkewMath.Premium[] memory steps) {
        steps = new SkewMath.Premium[](skews.length - 1);
        for (uint256 i; i < steps.length; ++i) {
            SkewMath.Premium memory p = SkewMath.premium(
                ledger,
                skews[i],
                skews[i + 1],
                skews[i],
                price,
                scale,
                leastScale
            );
            p.paid = ((p.paid + unit - 1) / unit) * unit;
            p.booked = (p.booked / unit) * unit;
            p.kept = (p.kept / unit) * unit;
            p.rebate = (p.rebate / unit) * unit;
            ledger = p.kept + p.booked;
            steps[i] = p;
        }
    }

    function leastSkewScale(int256 equity, int256 price) external pure returns (uint256) {
        return SkewMath.leastSkewScale(equity, price);
    }

    function builds(int256 skewBefore, int256 skewAfter) external pure returns (bool) {
        return SkewMath.builds(skewBefore, skewAfter);
    }

    function premiumKeptDown(
        uint256 ledger,
        int256 skewBefore,
        int256 skewAfter
    ) external pure returns (uint256) {
        return SkewMath.premiumKeptDown(ledger, skewBefore, skewAfter);
    }

    function referenceAfter(
        int256 reference_,
        int256 skew,
        int256 equity,
        int256 price,
        uint256 elapsed
    ) external pure returns (int256) {
        return SkewMath.referenceAfter(reference_, skew, equity, price, elapsed);
    }

    function retained(int256 reference_, int256 skew) external pure returns (int256) {
        return SkewMath.retained(reference_, skew);
    }

    function speedLimited(
        int256 skew,
        int256 sizeDelta,
        int256 reference_,
        int256 equity,
        int256 price
    ) external pure returns (int256 allowed, int256 limit) {
        return SkewMath.speedLimited(skew, sizeDelta, reference_, equity, price);
    }

    function hedgeChargeUp(
        int256 exposure,
        int256 exposureAfter,
        int256 innerBand,
        int256 price,
        uint256 ratePpm
    ) external pure returns (uint256) {
        return SkewMath.hedgeChargeUp(exposure, exposureAfter, innerBand, price, ratePpm);
    }
}
