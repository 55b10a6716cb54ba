// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

/// @title Signed products of 18-decimal numbers with the rounding in the name
/// @dev Unchecked. Of two operands one is an amount below 2^127 (token units scaled to 18 decimals, see SolvencyMath), the
/// other an amount, a price or a ratio below 2^128, so that products fit 256 bits. Divisors are above 0.
library SignedWadMath {
    int256 internal constant WAD = 1e18;

    /// @notice x y / 1e18, toward minus infinity.
    function mulWadFloor(int256 x, int256 y) internal pure returns (int256) {
        unchecked {
            return divFloor(x * y, WAD);
        }
    }

    /// @notice x y / 1e18, toward plus infinity.
    function mulWadCeil(int256 x, int256 y) internal pure returns (int256) {
        unchecked {
            return divCeil(x * y, WAD);
        }
    }

    /// @notice x / d toward minus infinity; d > 0. In Solidity: `z = x / d; if (x % d < 0) --z;`
    function divFloor(int256 x, int256 d) internal pure returns (int256 z) {
        assembly ("memory-safe") {
            z := sub(sdiv(x, d), slt(smod(x, d), 0))
        }
    }

    /// @notice x / d toward plus infinity; d > 0. In Solidity: `z = x / d; if (x % d > 0) ++z;`
    function divCeil(int256 x, int256 d) internal pure returns (int256 z) {
        assembly ("memory-safe") {
            z := add(sdiv(x, d), sgt(smod(x, d), 0))
        }
    }

    function min(int256 x, int256 y) internal pure returns (int256) {
        return FixedPointMathLib.min(x, y);
    }

    function max(int256 x, int256 y) internal pure returns (int256) {
        return FixedPointMathLib.max(x, y);
    }

    /// @notice The magnitude of x. Callers pass values far inside the type, never its minimum.
    function magnitude(int256 x) internal pure returns (int256) {
        return int256(FixedPointMathLib.abs(x));
    }

    /// @notice Whether x and y lie on different sides of zero; zero is on no side. In Solidity:
    /// `(x > 0 && y < 0) || (x < 0 && y > 0)`
    function oppositeSigns(int256 x, int256 y) internal pure returns (bool z) {
        assembly ("memory-safe") {
            z := and(slt(xor(x, y), 0), iszero(or(iszero(x), iszero(y))))
        }
    }
}
