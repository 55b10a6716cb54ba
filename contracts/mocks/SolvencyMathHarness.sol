// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SolvencyMath} from "../libraries/SolvencyMath.sol";

/// @title External face of SolvencyMath for tests
/// @notice Each function calls its namesake of the library.
contract SolvencyMathHarness {
    function skew(SolvencyMath.Book memory book) external pure returns (int256) {
        return SolvencyMath.skew(book);
    }

    function traderProfitUp(SolvencyMath.Book memory book, int256 price) external pure returns (int256) {
        return SolvencyMath.traderProfitUp(book, price);
    }

    function equity(SolvencyMath.Book memory book, int256 price) external pure returns (int256) {
        return SolvencyMath.equity(book, price);
    }

    function prudentEquity(SolvencyMath.Book memory book, int256 price) external pure returns (int256) {
        return SolvencyMath.prudentEquity(book, price);
    }

    function equityBid(
        SolvencyMath.Book memory book,
        int256 lower,
        int256 upper
    ) external pure returns (int256) {
        return SolvencyMath.equityBid(book, lower, upper);
    }

    function equityAsk(
        SolvencyMath.Book memory book,
        int256 lower,
        int256 upper
    ) external pure returns (int256) {
        return SolvencyMath.equityAsk(book, lower, upper);
    }

    function scalingEquity(int256 equity_) external pure returns (int256) {
        return SolvencyMath.scalingEquity(equity_);
    }

    function wantedInventory(
        int256 skew_,
        int256 price,
        int256 equity_,
        int256 weight
    ) external pure returns (int256) {
        return SolvencyMath.wantedInventory(skew_, price, equity_, weight);
    }

    function holdingsDown(SolvencyMath.Book memory book, int256 price) external pure returns (int256) {
        return SolvencyMath.holdingsDown(book, price);
    }

    function possibleInventory(SolvencyMath.Book memory book, int256 price) external pure returns (int256) {
        return SolvencyMath.possibleInventory(book, price);
    }

    function targetInventory(
        SolvencyMath.Book memory book,
        int256 skew_,
        int256 price,
        int256 equity_,
        int256 weight
    ) external pure returns (int256) {
        return SolvencyMath.targetInventory(book, skew_, price, equity_, weight);
    }

    function gapWad(uint256 sigmaWad) external pure returns (uint256) {
        return SolvencyMath.gapWad(sigmaWad);
    }

    function shockWad(uint256 sigmaWad) external pure returns (uint256) {
        return SolvencyMath.shockWad(sigmaWad);
    }

    function requiredCapital(
        SolvencyMath.Book memory book,
        int256 price,
        uint256 sigmaWad,
        uint256 unwindCostPpm
    ) external pure returns (int256) {
        return SolvencyMath.requiredCapital(book, price, sigmaWad, unwindCostPpm);
    }

    function solvencyRatioWad(int256 equityBid_, int256 required) external pure returns (uint256) {
        return SolvencyMath.solvencyRatioWad(equityBid_, required);
    }
}
