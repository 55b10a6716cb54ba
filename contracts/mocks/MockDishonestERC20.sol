// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockERC20} from "./MockERC20.sol";

/// @title Token that does not say what it does
/// @notice Its answers to transfers and to questions for balances can be set at will.
contract MockDishonestERC20 is MockERC20 {
    /// @notice What a transfer does and answers.
    enum Transfers {
        Honest,
        AnswerFalse,
        MoveAndAnswerFalse,
        AnswerTrueWithoutMoving,
        MoveAndAnswerTwo
    }

    /// @notice How `balanceOf` answers for the account lied about.
    enum Balances {
        Honest,
        Revert,
        AnswerNothing,
        AnswerInvented
    }

    Transfers public transfers;
    Balances public balances;
    address public liedAbout;
    uint256 public invented;

    error MockDishonestERC20_NoAnswer();

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_
    ) MockERC20(name_, symbol_, decimals_) {}

    function setTransfers(Transfers transfers_) external {
        transfers = transfers_;
    }

    function setBalances(Balances balances_, address account, uint256 invented_) external {
        (balances, liedAbout, invented) = (balances_, account, invented_);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (_moves()) super.transfer(to, amount);
        return _answer();
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (_moves()) super.transferFrom(from, to, amount);
        return _answer();
    }

    function balanceOf(address account) public view override returns (uint256) {
        if (account == liedAbout && balances != Balances.Honest) {
            if (balances == Balances.Revert) revert MockDishonestERC20_NoAnswer();
            if (balances == Balances.AnswerInvented) return invented;
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return super.balanceOf(account);
    }

    function _moves() private view returns (bool) {
        return transfers != Transfers.AnswerFalse && transfers != Transfers.AnswerTrueWithoutMoving;
    }

    function _answer() private view returns (bool) {
        if (transfers == Transfers.MoveAndAnswerTwo) {
            assembly ("memory-safe") {
                mstore(0, 2)
                return(0, 0x20)
            }
        }
        return transfers != Transfers.AnswerFalse && transfers != Transfers.MoveAndAnswerFalse;
    }
}
