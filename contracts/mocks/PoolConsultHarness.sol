// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolConsult} from "../libraries/PoolConsult.sol";

/// @title External face of PoolConsult for tests
/// @notice Each function calls its namesake of the library.
contract PoolConsultHarness {
    function meanLogPriceWad(
        PoolConsult.Snapshot memory from,
        PoolConsult.Snapshot memory to
    ) external pure returns (int256) {
        return PoolConsult.meanLogPriceWad(from, to);
    }

    function geometricMeanPriceWad(
        PoolConsult.Snapshot memory from,
        PoolConsult.Snapshot memory to,
        uint8 decimals0,
        uint8 decimals1
    ) external pure returns (uint256) {
        return PoolConsult.geometricMeanPriceWad(from, to, decimals0, decimals1);
    }

    function realizedVolatilityWad(
        PoolConsult.Snapshot memory from,
        PoolConsult.Snapshot memory to
    ) external pure returns (uint256) {
        return PoolConsult.realizedVolatilityWad(from, to);
    }
}
