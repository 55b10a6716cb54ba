// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SkewMath} from "../libraries/SkewMath.sol";

/// @title Random closed walks of the skew at a fixed price, against the premium ledger
/// @notice Whoever takes the skew along a walk and back to where it began is one party: what they paid less what they were
/// paid back is never negative, and the ledger never gives more than it held. Rounded to token units as orders are.
contract SkewWalks {
    using FixedPointMathLib for uint256;

    /// @notice The participants of a walk gained.
    error SkewWalks_Profit(uint256 seed, int256 gained);
    /// @notice The ledger would have given more than it held.
    error SkewWalks_Overdrawn(uint256 seed, uint256 ledger, uint256 kept, uint256 rebate);

    /// Amounts are below 2^127, also between two skews.
    uint256 private constant LARGEST = 1 << 125;

    struct Walk {
        uint256 random;
        uint256 price;
        uint256 scale;
        uint256 leastScale;
        uint256 unit; // of the ledger, 18 decimals
        int256 outside; // skew of everybody else
        int256 skew;
        uint256 ledger;
        int256 gained;
    }

    /// @param steps taken in all walks
    /// @param paid quote that the walks paid
    /// @param rebated quote that the ledger gave back
    /// @param crossings of zero
    struct Sum {
        uint256 steps;
        uint256 paid;
        uint256 rebated;
        uint256 crossings;
    }

    /// @notice Runs walks one after another. Reverts at the first that profits its participants.
    /// @param drifting c follows a changing scale and the ledger fades, as over time: only the ledger's bound is checked
    function run(uint256 seed, uint256 count, bool drifting) external pure returns (Sum memory sum) {
        for (uint256 i; i < count; ++i) _run(uint256(keccak256(abi.encode(seed, i))), drifting, sum);
    }

    function _run(uint256 seed, bool drifting, Sum memory sum) private pure {
        Walk memory w = _start(seed);
        for (uint256 step = 1 + (_next(w) % 5); step != 0; --step) {
            int256 wanted = int256(_magnitude(w, (w.leastScale / 10).min(LARGEST)));
            if (_next(w) % 2 == 0) wanted = -wanted;
            if (_next(w) % 3 == 0) wanted = w.outside + wanted / 1000; // near where it began
            _step(w, wanted, sum, seed);
            if (drifting) {
                w.ledger = (w.ledger * (_next(w) % 1001)) / 1000;
                w.scale = w.leastScale + _magnitude(w, 50 * w.leastScale);
            } else if (_next(w) % 4 == 0) {
                w.ledger = (((w.ledger / w.unit) * (_next(w) % 1001)) / 1000) * w.unit; // time at one volatility
            }
        }
        _step(w, w.outside, sum, seed);
        if (!drifting && w.gained > 0) revert SkewWalks_Profit(seed, w.gained);
    }

    /// @dev A pool of 1 to 1e12 quote, at most its cap of skew, and a ledger up to ten times what that skew cost.
    function _start(uint256 seed) private pure returns (Walk memory w) {
        w.random = seed;
        w.price = 1e9 + _magnitude(w, 1e27);
        w.leastScale = SkewMath.leastSkewScale(int256(1e18 + _magnitude(w, 1e30)), int256(w.price));
        w.scale = w.leastScale + _magnitude(w, 50 * w.leastScale);
        w.unit =
            10 **
            (
                _next(w) % 3 == 0
                    ? 0
                    : _next(w) % 2 == 0
                        ? 12
                        : 10
            );
        w.outside = _next(w) % 3 == 0 ? int256(0) : int256(_magnitude(w, (w.leastScale / 20).min(LARGEST)));
        if (_next(w) % 2 == 0) w.outside = -w.outside;
        w.skew = w.outside;
        uint256 square = uint256(w.outside < 0 ? -w.outside : w.outside);
        uint256 cost = (square * square).fullMulDiv(w.price, 2 * w.scale) / 1e18;
        w.ledger = (_magnitude(w, 1 + 10 * cost) / w.unit) * w.unit;
        if (w.skew == 0) w.ledger = 0;
    }

    function _step(Walk memory w, int256 next, Sum memory sum, uint256 seed) private pure {
        // all of the skew older than the round, or some of it
        int256 old = _next(w) % 4 == 0 ? (w.skew * int256(_next(w) % 1001)) / 1000 : w.skew;
        SkewMath.Premium memory p = SkewMath.premium(
            w.ledger,
            w.skew,
            next,
            old,
            w.price,
            w.scale,
            w.leastScale
        );
        uint256 paid = p.paid.divUp(w.unit) * w.unit;
        uint256 rebate = (p.rebate / w.unit) * w.unit;
        p.booked = (p.booked / w.unit) * w.unit;
        p.kept = (p.kept / w.unit) * w.unit;
        if (p.kept + rebate > w.ledger || p.booked > paid) {
            revert SkewWalks_Overdrawn(seed, w.ledger, p.kept, rebate);
        }
        if ((w.skew < 0) != (next < 0)) ++sum.crossings;
        w.ledger = p.kept + p.booked;
        w.gained += int256(rebate) - int256(paid);
        w.skew = next;
        ++sum.steps;
        sum.paid += paid / 1e12;
        sum.rebated += rebate / 1e12;
    }

    /// @dev A linear congruential generator modulo 2^256: its high half is random enough, and cheap.
    function _next(Walk memory w) private pure returns (uint256) {
        unchecked {
            w.random =
                w.random * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95 +
                0x14057B7EF767814F;
            return w.random >> 128;
        }
    }

    /// @dev Below `most`, evenly in its number of digits and then within them.
    function _magnitude(Walk memory w, uint256 most) private pure returns (uint256) {
        if (most == 0) return 0;
        uint256 bits = _next(w) % (FixedPointMathLib.log2(most) + 2);
        return (_next(w) % (1 << bits)).min(most);
    }
}
