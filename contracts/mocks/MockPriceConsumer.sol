// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {PoolConsult} from "../libraries/PoolConsult.sol";

/// @title A contract that depends on a pool's history
/// @notice Keeps the last two snapshots it took and consults them, as another contract would with `PoolConsult`.
contract MockPriceConsumer {
    IConstantProductPool public immutable pool;
    uint8 private immutable _decimals0;
    uint8 private immutable _decimals1;

    /// @notice The snapshot before the last one.
    PoolConsult.Snapshot public from;
    /// @notice The last snapshot.
    PoolConsult.Snapshot public to;

    constructor(IConstantProductPool pool_, uint8 decimals0, uint8 decimals1) {
        (pool, _decimals0, _decimals1) = (pool_, decimals0, decimals1);
    }

    /// @notice Takes a snapshot and forgets all but the one before it.
    function take() external {
        from = to;
        to = PoolConsult.snapshot(pool);
    }

    /// @notice What `take` would store.
    function current() external view returns (PoolConsult.Snapshot memory) {
        return PoolConsult.snapshot(pool);
    }

    /// @notice Consults the two snapshots it holds.
    function consult()
        external
        view
        returns (int256 meanLogPriceWad, uint256 geometricMeanPriceWad, uint256 realizedVolatilityWad)
    {
        return consultBetween(from, to);
    }

    /// @notice Consults any two snapshots.
    function consultBetween(
        PoolConsult.Snapshot memory first,
        PoolConsult.Snapshot memory second
    )
        public
        view
        returns (int256 meanLogPriceWad, uint256 geometricMeanPriceWad, uint256 realizedVolatilityWad)
    {
        meanLogPriceWad = PoolConsult.meanLogPriceWad(first, second);
        geometricMeanPriceWad = PoolConsult.geometricMeanPriceWad(first, second, _decimals0, _decimals1);
        realizedVolatilityWad = PoolConsult.realizedVolatilityWad(first, second);
    }
}
