// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";

/// @title External face of the fixed-point arithmetic that the contracts take from Solady, for tests
/// @notice Each function calls its namesake of FixedPointMathLib or SafeCastLib; `checked...` are Solidity's own operators.
contract FixedPointHarness {
    function fullMulDiv(uint256 x, uint256 y, uint256 d) external pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(x, y, d);
    }

    function fullMulDivUp(uint256 x, uint256 y, uint256 d) external pure returns (uint256) {
        return FixedPointMathLib.fullMulDivUp(x, y, d);
    }

    function mulDiv(uint256 x, uint256 y, uint256 d) external pure returns (uint256) {
        return FixedPointMathLib.mulDiv(x, y, d);
    }

    function mulWad(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.mulWad(x, y);
    }

    function mulWadUp(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.mulWadUp(x, y);
    }

    function divWad(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.divWad(x, y);
    }

    function divWadUp(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.divWadUp(x, y);
    }

    function divUp(uint256 x, uint256 d) external pure returns (uint256) {
        return FixedPointMathLib.divUp(x, d);
    }

    function rawDiv(uint256 x, uint256 d) external pure returns (uint256) {
        return FixedPointMathLib.rawDiv(x, d);
    }

    function sqrt(uint256 x) external pure returns (uint256) {
        return FixedPointMathLib.sqrt(x);
    }

    function sqrtWad(uint256 x) external pure returns (uint256) {
        return FixedPointMathLib.sqrtWad(x);
    }

    function cbrtWad(uint256 x) external pure returns (uint256) {
        return FixedPointMathLib.cbrtWad(x);
    }

    function mulSqrt(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.mulSqrt(x, y);
    }

    function lnWad(int256 x) external pure returns (int256) {
        return FixedPointMathLib.lnWad(x);
    }

    function expWad(int256 x) external pure returns (int256) {
        return FixedPointMathLib.expWad(x);
    }

    function log2(uint256 x) external pure returns (uint256) {
        return FixedPointMathLib.log2(x);
    }

    function zeroFloorSub(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.zeroFloorSub(x, y);
    }

    function dist(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.dist(x, y);
    }

    function clamp(uint256 x, uint256 least, uint256 most) external pure returns (uint256) {
        return FixedPointMathLib.clamp(x, least, most);
    }

    function min(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.min(x, y);
    }

    function max(uint256 x, uint256 y) external pure returns (uint256) {
        return FixedPointMathLib.max(x, y);
    }

    function abs(int256 x) external pure returns (uint256) {
        return FixedPointMathLib.abs(x);
    }

    function toUint32(uint256 x) external pure returns (uint32) {
        return SafeCastLib.toUint32(x);
    }

    function toUint40(uint256 x) external pure returns (uint40) {
        return SafeCastLib.toUint40(x);
    }

    function toUint96(uint256 x) external pure returns (uint96) {
        return SafeCastLib.toUint96(x);
    }

    function toUint112(uint256 x) external pure returns (uint112) {
        return SafeCastLib.toUint112(x);
    }

    function toUint128(uint256 x) external pure returns (uint128) {
        return SafeCastLib.toUint128(x);
    }

    function toInt96(int256 x) external pure returns (int96) {
        return SafeCastLib.toInt96(x);
    }

    function toInt112(int256 x) external pure returns (int112) {
        return SafeCastLib.toInt112(x);
    }

    function toInt128(int256 x) external pure returns (int128) {
        return SafeCastLib.toInt128(x);
    }

    function checkedAdd(uint256 x, uint256 y) external pure returns (uint256) {
        return x + y;
    }

    function checkedSub(uint256 x, uint256 y) external pure returns (uint256) {
        return x - y;
    }

    function checkedMul(uint256 x, uint256 y) external pure returns (uint256) {
        return x * y;
    }

    function checkedDiv(int256 x, int256 d) external pure returns (int256) {
        return x / d;
    }
}
