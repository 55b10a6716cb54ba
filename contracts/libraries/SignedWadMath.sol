// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Signed products of 18-decimal numbers with the rounding in the name
/// @dev Operands stay below 2^127 (token units scaled to 18 decimals), so products fit 256 bits; checked arithmetic
/// reverts otherwise.
library SignedWadMath {
    int256 internal constant WAD = 1e18;

    /// @notice x y / 1e18, toward minus infinity.
    function mulWadFloor(int256 x, int256 y) internal pure returns (int256) {
        return divFloor(x * y, WAD);
    }

    /// @notice x y / 1e18, toward plus infinity.
    function mulWadCeil(int256 x, int256 y) internal pure returns (int256) {
        return divCeil(x * y, WAD);
    }

    /// @notice x / d toward minus infinity; d > 0.
    function divFloor(int256 x, int256 d) internal pure returns (int256 z) {
        z = x / d;
        if (x < 0 && z * d != x) --z;
    }

    /// @notice x / d toward plus infinity; d > 0.
    function divCeil(int256 x, int256 d) internal pure returns (int256 z) {
        z = x / d;
        if (x > 0 && z * d != x) ++z;
    }

    function min(int256 x, int256 y) internal pure returns (int256) {
        return x < y ? x : y;
    }

    function max(int256 x, int256 y) internal pure returns (int256) {
        return x > y ? x : y;
    }

    /// @notice The magnitude of x. Callers pass values far inside the type, never its minimum.
    function magnitude(int256 x) internal pure returns (int256) {
        return x < 0 ? -x : x;
    }

    /// @notice Whether x and y lie on different sides of zero; zero is on no side.
    function oppositeSigns(int256 x, int256 y) internal pure returns (bool) {
        return (x > 0 && y < 0) || (x < 0 && y > 0);
    }
}
