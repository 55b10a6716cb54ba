// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";

/// @title What the owner may set, how far and how fast, and the guardian's pause; one storage slot
/// @notice A change moves each parameter by at most a tenth (or one unit, where a tenth is less), comes at least a day
/// after the one before, and takes effect little by little over a day: nobody becomes liquidatable in one block.
library MarginParameters {
    using FixedPointMathLib for uint256;

    /// @notice Parameters as they are now.
    struct Values {
        uint256 takerFeePpm;
        uint256 openInterestLimitWad;
        uint256 initialMarginFloorWad;
        uint256 insuranceShareBps;
    }

    uint256 internal constant BPS_TO_WAD = 1e14;
    uint256 internal constant RAMP = 1 days;
    uint256 internal constant PAUSE = 72 hours;
    /// The guardian may pause again this long after the last pause began: at most 72 hours in ten days.
    uint256 internal constant PAUSE_INTERVAL = 10 days;

    // bounds
    uint256 internal constant MAXIMUM_TAKER_FEE_PPM = 5_000; // 50 bp
    uint256 internal constant MINIMUM_OPEN_INTEREST_BPS = 1_000; // 10 %
    uint256 internal constant MAXIMUM_OPEN_INTEREST_BPS = 6_000; // 60 %
    uint256 internal constant MINIMUM_INITIAL_MARGIN_BPS = 400; // 4 %
    uint256 internal constant MAXIMUM_INITIAL_MARGIN_BPS = 2_000; // 20 %
    uint256 internal constant MINIMUM_INSURANCE_BPS = 1_000; // 10 %
    uint256 internal constant MAXIMUM_INSURANCE_BPS = 5_000; // 50 %

    // defaults
    uint256 internal constant TAKER_FEE_PPM = 500; // 5 bp
    uint256 internal constant OPEN_INTEREST_BPS = 6_000;
    uint256 internal constant INITIAL_MARGIN_BPS = 400;
    uint256 internal constant INSURANCE_BPS = 1_000;

    // The slot, from low to high: four values of 2 bytes to reach, four they come from, changedAt and
    // pausedAt of 4 bytes each; 24 bytes.

    /// @notice The word of a new pool.
    function initial() internal pure returns (uint256) {
        uint256 values =
            TAKER_FEE_PPM | (OPEN_INTEREST_BPS << 16) | (INITIAL_MARGIN_BPS << 32) | (INSURANCE_BPS << 48);
        return values | (values << 64);
    }

    /// @notice Parameters now, on their way between the last two settings.
    function load(uint256 word) internal view returns (Values memory v) {
        word = _now(word);
        unchecked {
            v.takerFeePpm = uint16(word);
            v.openInterestLimitWad = uint16(word >> 16) * BPS_TO_WAD;
            v.initialMarginFloorWad = uint16(word >> 32) * BPS_TO_WAD;
            v.insuranceShareBps = uint16(word >> 48);
        }
    }

    /// @notice The same as a view shows them, and those they lead to.
    function show(
        uint256 word
    ) internal view returns (IMarginPool.Parameters memory current, IMarginPool.Parameters memory next) {
        (current, next) = (_unpacked(_now(word)), _unpacked(word));
    }

    /// @notice Starts the way to new parameters. Reverts outside the bounds, beyond a tenth, or within a day.
    function set(uint256 word, IMarginPool.Parameters memory p) internal view returns (uint256) {
        uint256 changedAt = uint32(word >> 128);
        if (changedAt != 0 && block.timestamp < changedAt + RAMP) {
            revert IMarginPool.MarginPool_ParametersTooSoon(block.timestamp, changedAt + RAMP);
        }
        uint256 before = _now(word);
        uint256 next =
            _checked(0, before, p.takerFeePpm, 0, MAXIMUM_TAKER_FEE_PPM) |
                (_checked(
                    1,
                    before >> 16,
                    p.openInterestLimitBps,
                    MINIMUM_OPEN_INTEREST_BPS,
                    MAXIMUM_OPEN_INTEREST_BPS
                ) << 16) |
                (_checked(
                    2,
                    before >> 32,
                    p.initialMarginFloorBps,
                    MINIMUM_INITIAL_MARGIN_BPS,
                    MAXIMUM_INITIAL_MARGIN_BPS
                ) << 32) |
                (_checked(
                    3,
                    before >> 48,
                    p.insuranceShareBps,
                    MINIMUM_INSURANCE_BPS,
                    MAXIMUM_INSURANCE_BPS
                ) << 48);
        return ((word >> 160) << 160) | next | (before << 64) | (block.timestamp << 128);
    }

    /// @notice The word once new risk is paused now.
    function pause(uint256 word) internal view returns (uint256) {
        uint256 pausedAt = uint32(word >> 160);
        if (pausedAt != 0 && block.timestamp < pausedAt + PAUSE_INTERVAL) {
            revert IMarginPool.MarginPool_PauseTooSoon(block.timestamp, pausedAt + PAUSE_INTERVAL);
        }
        return (word & type(uint160).max) | (block.timestamp << 160);
    }

    function _unpacked(uint256 values) private pure returns (IMarginPool.Parameters memory) {
        return
            IMarginPool.Parameters(
                uint16(values),
                uint16(values >> 16),
                uint16(values >> 32),
                uint16(values >> 48)
            );
    }

    /// @dev The four values as they are now.
    function _now(uint256 word) private view returns (uint256) {
        (uint256 next, uint256 before) = (uint64(word), uint64(word >> 64));
        if (next == before) return next;
        uint256 elapsed = block.timestamp - uint32(word >> 128);
        if (elapsed >= RAMP) return next;
        return
            _between(before, next, elapsed) |
            (_between(before >> 16, next >> 16, elapsed) << 16) |
            (_between(before >> 32, next >> 32, elapsed) << 32) |
            (_between(before >> 48, next >> 48, elapsed) << 48);
    }

    function _between(uint256 from, uint256 target, uint256 elapsed) private pure returns (uint256) {
        (from, target) = (uint16(from), uint16(target));
        unchecked {
            return
                from < target
                    ? from + ((target - from) * elapsed) / RAMP
                    : from - ((from - target) * elapsed) / RAMP;
        }
    }

    /// @param which number of the parameter in the struct, for the error
    function _checked(
        uint256 which,
        uint256 before,
        uint256 value,
        uint256 minimum,
        uint256 maximum
    ) private pure returns (uint256) {
        before = uint16(before);
        uint256 step = (before / 10).max(1);
        minimum = minimum.max(before.zeroFloorSub(step));
        maximum = maximum.min(before + step);
        if (value < minimum || value > maximum) {
            revert IMarginPool.MarginPool_ParameterOutOfBounds(which, value, minimum, maximum);
        }
        return value;
    }
}
