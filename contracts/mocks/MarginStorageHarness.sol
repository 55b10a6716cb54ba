// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {MarginStorage} from "../margin/MarginStorage.sol";

/// @title External face of MarginStorage for tests
/// @notice Each function calls its namesake of the library on one storage struct.
contract MarginStorageHarness {
    using MarginStorage for MarginStorage.Storage;
    using MarginStorage for MarginStorage.Position;

    MarginStorage.Storage private _state;
    MarginStorage.Position private _position;

    function store(MarginStorage.Context memory ctx) external {
        _state.store(ctx);
    }

    function load() external view returns (MarginStorage.Context memory ctx) {
        _state.load(ctx);
    }

    function storeBand(
        uint256 outerBandWad,
        uint256 depthBaseWad,
        uint256 unwindCostPpm,
        uint256 hedgeRatePpm
    ) external {
        _state.storeBand(outerBandWad, depthBaseWad, unwindCostPpm, hedgeRatePpm);
    }

    function addCollateral(bool long, int256 delta) external {
        _state.addCollateral(long, delta);
    }

    function addAccounted(int256 delta) external {
        _state.addAccounted(delta);
    }

    function addInsurance(uint256 amount) external {
        _state.addInsurance(amount);
    }

    function setPausedUntil(uint256 until) external {
        _state.setPausedUntil(until);
    }

    /// @notice What the readers of single values see.
    function singles() external view returns (int256[15] memory all) {
        (IMarginPool.RiskState state, uint256 since, uint256 recoverySince) = _state.loadRatioState();
        (all[0], all[1], all[2]) = (int256(uint256(state)), int256(since), int256(recoverySince));
        (all[3], all[4]) = (int256(_state.epochOf(true)), int256(_state.epochOf(false)));
        uint256 lastSyncAt;
        (all[5], all[6], lastSyncAt) = _state.loadFunding();
        all[7] = int256(lastSyncAt);
        all[8] = _state.loadSkewReference();
        all[9] = int256(_state.loadAccounted());
        all[10] = int256(_state.loadInventoryBase());
        all[11] = int256(_state.loadInventoryQuote());
        all[12] = int256(_state.loadPausedUntil());
        all[13] = int256(_state.loadHedgeRatePpm());
        all[14] = _state.isSettled() ? int256(1) : int256(0);
    }

    function storePosition(
        int256 size,
        uint256 entryNotional,
        uint256 collateral,
        int256 fundingIndexWad,
        uint256 openedAt,
        uint256 epoch
    ) external {
        _position.storePosition(size, entryNotional, collateral, fundingIndexWad, openedAt, epoch);
    }

    function storeMargin(uint256 collateral) external {
        _position.storeMargin(collateral);
    }

    function loadPosition() external view returns (int256, uint256, uint256, int256, uint256, uint256) {
        return _position.loadPosition();
    }
}
