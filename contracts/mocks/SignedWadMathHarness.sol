// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignedWadMath} from "../libraries/SignedWadMath.sol";

/// @title External face of SignedWadMath for tests
/// @notice Each function calls its namesake of the library.
contract SignedWadMathHarness {
    function mulWadFloor(int256 x, int256 y) external pure returns (int256) {
        return SignedWadMath.mulWadFloor(x, y);
    }

    function mulWadCeil(int256 x, int256 y) external pure returns (int256) {
        return SignedWadMath.mulWadCeil(x, y);
    }

    function divFloor(int256 x, int256 d) external pure returns (int256) {
        return SignedWadMath.divFloor(x, d);
    }

    function divCeil(int256 x, int256 d) external pure returns (int256) {
        return SignedWadMath.divCeil(x, d);
    }

    function min(int256 x, int256 y) external pure returns (int256) {
        return SignedWadMath.min(x, y);
    }

    function max(int256 x, int256 y) external pure returns (int256) {
        return SignedWadMath.max(x, y);
    }

    function magnitude(int256 x) external pure returns (int256) {
        return SignedWadMath.magnitude(x);
    }

    function oppositeSigns(int256 x, int256 y) external pure returns (bool) {
        return SignedWadMath.oppositeSigns(x, y);
    }
}
