// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/interfaces/IERC20.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";

/// @title Everything a campaign looks at between two actions, in one call
/// @notice To be called without a transaction: what it syncs is forgotten, so views and ledgers show the same instant.
contract MarginPoolLens {
    struct Person {
        IMarginPool.Account account;
        IMarginPool.Order order;
        IMarginPool.PositionView position; // zero while the price is bad
        uint256 credited;
        uint256 shares;
        bool liquidates; // `liquidate` would succeed now
        bytes refusal; // with which it would revert otherwise
    }

    struct Picture {
        uint256 timestamp;
        bool good; // the pool has a price
        IMarginPool.Ledgers ledgers;
        IMarginPool.PoolState state; // zero while the price is bad
        IMarginPool.Snapshot snapshot;
        uint256 updatedAt; // of the round, unix seconds
        IMarginPool.RiskState ratioState;
        uint256 stateSince;
        int256 skewReference;
        uint256 badDebt;
        uint256 totalAssets;
        uint256 supply;
        uint256 quoteBalance;
        uint256 baseBalance;
        uint256 settledAt;
        uint256 finalizedAt;
        Person[] people;
    }

    IMarginPool private immutable POOL;

    constructor(IMarginPool pool) {
        POOL = pool;
    }

    /// @notice The pool and some accounts as an action of now would find them.
    function look(address[] calldata accounts) external returns (Picture memory p) {
        try POOL.sync() {} catch {}
        p.timestamp = block.timestamp;
        p.ledgers = POOL.ledgers();
        try POOL.poolState() returns (IMarginPool.PoolState memory state) {
            (p.good, p.state) = (true, state);
            p.snapshot = POOL.snapshot();
        } catch {}
        _market(p);
        (p.ratioState, p.stateSince, ) = POOL.riskClock();
        p.skewReference = POOL.skewReference();
        p.badDebt = POOL.badDebt();
        (p.totalAssets, p.supply) = (POOL.totalAssets(), POOL.totalSupply());
        p.quoteBalance = IERC20(POOL.quote()).balanceOf(address(POOL));
        p.baseBalance = IERC20(POOL.base()).balanceOf(address(POOL));
        IMarginPool.Settlement memory s = POOL.settlement();
        (p.settledAt, p.finalizedAt) = (s.settledAt, s.finalizedAt);
        p.people = new Person[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) p.people[i] = _person(accounts[i], p.good);
    }

    function _market(Picture memory p) private view {
        if (!p.good || POOL.settlement().settledAt != 0) return;
        try IVolatilityOracle(POOL.volatilityOracle()).preview() returns (
            IVolatilityOracle.Market memory market
        ) {
            p.updatedAt = market.updatedAt;
        } catch {}
    }

    function _person(address account, bool good) private returns (Person memory person) {
        person.account = POOL.marginAccount(account);
        person.order = POOL.order(account);
        if (good) person.position = POOL.position(account);
        person.credited = POOL.creditedOf(account);
        person.shares = POOL.balanceOf(account);
        if (person.account.size == 0) return person;
        (person.liquidates, person.refusal) = _tried(account);
    }

    /// @dev Whether a liquidation would go through, without leaving a trace.
    function _tried(address account) private returns (bool, bytes memory) {
        try this.liquidateAndRevert(account) {} catch (bytes memory reason) {
            return (reason.length == 0, reason);
        }
        return (true, "");
    }

    /// @notice Reverts without data when the liquidation went through, with its error when not.
    function liquidateAndRevert(address account) external {
        POOL.liquidate(account);
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }
}
