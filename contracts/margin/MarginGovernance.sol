// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {MarginParameters} from "./MarginParameters.sol";
import {MarginShares} from "./MarginShares.sol";
import {MarginStorage} from "./MarginStorage.sol";

/// @title Roles of the margin pool
/// @notice The owner, a TimelockController, sets a few parameters within bounds. The guardian can only stop new risk, and
/// only for a while. Neither can move funds, set a price or change code.
abstract contract MarginGovernance is MarginShares, Ownable2Step {
    using MarginStorage for MarginStorage.Storage;

    address private _guardian;

    modifier onlyGuardian() {
        if (msg.sender != _guardian && msg.sender != owner()) {
            revert MarginPool_OnlyGuardian(msg.sender, _guardian);
        }
        _;
    }

    /// @inheritdoc IMarginPool
    function pauseNewRisk() external onlyGuardian {
        _state.parameters = MarginParameters.pause(_state.parameters);
        uint256 until = block.timestamp + MarginParameters.PAUSE;
        _state.setPausedUntil(until);
        emit NewRiskPaused(msg.sender, until);
    }

    /// @inheritdoc IMarginPool
    function unpauseNewRisk() external onlyGuardian {
        uint256 until = _state.loadPausedUntil();
        if (block.timestamp >= until) revert MarginPool_NotPaused(until);
        _state.setPausedUntil(0);
        emit NewRiskUnpaused(msg.sender);
    }

    /// @inheritdoc IMarginPool
    function setGuardian(address next) external onlyOwner {
        _setGuardian(next);
    }

    function _setGuardian(address next) internal {
        emit GuardianChanged(_guardian, next);
        _guardian = next;
    }

    /// @inheritdoc IMarginPool
    function setParameters(Parameters calldata next) external onlyOwner {
        (Parameters memory before, ) = MarginParameters.show(_state.parameters);
        _state.parameters = MarginParameters.set(_state.parameters, next);
        emit ParametersChanged(before, next, block.timestamp + MarginParameters.RAMP);
    }

    /// @inheritdoc IMarginPool
    function guardian() external view returns (address) {
        return _guardian;
    }

    /// @inheritdoc IMarginPool
    function parameters()
        external
        view
        returns (Parameters memory current, Parameters memory next, uint256 pausedUntil)
    {
        (current, next) = MarginParameters.show(_state.parameters);
        pausedUntil = _state.loadPausedUntil();
    }
}
