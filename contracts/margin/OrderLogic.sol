// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginState} from "./MarginState.sol";
import {OrderFill} from "./OrderFill.sol";

/// @title Orders: request, execute, cancel
/// @notice Linked into MarginPool and run on its storage. How an order fills is OrderFill's.
library OrderLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;
    using MarginState for MarginState.Storage;

    int256 internal constant WAD = 1e18;
    uint256 internal constant DELAY = 4 seconds;
    uint256 internal constant MAXIMUM_LIFETIME = 10 minutes;

    // ------------------------------------------------------------- entry points

    /// @notice See IMarginPool.requestOrder.
    function request(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account,
        int256 sizeDelta,
        uint256 acceptablePriceWad,
        uint40 expiresAt
    ) external {
        if (sizeDelta == 0) revert IMarginPool.MarginPool_ZeroAmount();
        if (self.orders[account].requestedAt != 0) {
            revert IMarginPool.MarginPool_OrderPending(account, self.orders[account].expiresAt);
        }
        uint256 earliest = block.timestamp + DELAY;
        uint256 latest = block.timestamp + MAXIMUM_LIFETIME;
        if (expiresAt < earliest || expiresAt > latest) {
            revert IMarginPool.MarginPool_ExpiryOutOfBounds(expiresAt, earliest, latest);
        }
        MarginState.Context memory ctx = self.open(config);
        IMarginPool.Account memory a = self.accounts[account];
        int256 sizeAfter = a.size + sizeDelta;
        bool reduceOnly =
            sizeDelta.oppositeSigns(a.size) && sizeDelta.magnitude() <= int256(a.size).magnitude();

        if (!_escrow(ctx, a)) {
            revert IMarginPool.MarginPool_InsufficientFreeMargin(account, executionFee(config), a.collateral);
        }
        uint256 needed;
        if (!reduceOnly) (, needed) = MarginAccount.initialMargin(ctx, sizeAfter);
        // An account below maintenance is liquidation's: it could otherwise pay its last margin away in fees.
        needed = needed.max(MarginAccount.maintenanceMargin(ctx, a.size));
        int256 equity = MarginAccount.equityOf(ctx, a);
        if (equity < int256(needed)) {
            revert IMarginPool.MarginPool_InsufficientMargin(account, equity, needed);
        }
        // Profit that is not realized may carry what collateral does not.
        uint256 reserved = reduceOnly ? 0 : needed.min(a.collateral).min(type(uint88).max);
        self.accounts[account] = a;
        self.orders[account] = IMarginPool.Order({
            sizeDelta: sizeDelta.toInt128(),
            acceptablePriceWad: acceptablePriceWad.min(type(uint128).max).toUint128(),
            requestedAt: uint40(block.timestamp),
            expiresAt: expiresAt,
            roundId: ctx.market.roundId,
            reservedMargin: uint88(reserved),
            reduceOnly: reduceOnly
        });
        self.close(ctx);
        emit IMarginPool.OrderRequested(
            account,
            sizeDelta,
            acceptablePriceWad,
            expiresAt,
            ctx.market.roundId,
            reserved,
            reduceOnly
        );
    }

    /// @notice See IMarginPool.executeOrder.
    function execute(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        MarginState.Context memory ctx = self.open(config);
        if (block.timestamp > o.expiresAt) {
            _remove(self, config, account);
            self.close(ctx);
            emit IMarginPool.OrderExpired(account, msg.sender, o.sizeDelta, o.expiresAt);
            return;
        }
        _requireExecutable(ctx, account, o);
        IMarginPool.Account memory a = self.accounts[account];
        (IMarginPool.Fill memory fill, bytes memory failure) = OrderFill.compute(ctx, account, a, o);
        if (failure.length != 0) {
            // The fill was computed on this copy; start again from what is stored.
            ctx = self.openAt(config, ctx.market);
            _remove(self, config, account);
            self.close(ctx);
            emit IMarginPool.OrderFailed(account, msg.sender, o.sizeDelta, failure);
            return;
        }
        _remove(self, config, account);
        int256 remaining = _remaining(o, a, fill.sizeDelta);
        // The rest waits for another round and pays for another execution; without margin for that it lapses.
        if (remaining != 0 && _affordsFee(ctx, a) && _escrow(ctx, a)) {
            o.sizeDelta = int128(remaining); // part of an int128
            o.requestedAt = uint40(block.timestamp);
            o.roundId = ctx.market.roundId;
            self.orders[account] = o;
        } else {
            remaining = 0;
        }
        self.accounts[account] = a;
        self.close(ctx);
        emit IMarginPool.OrderExecuted(
            account,
            msg.sender,
            fill,
            remaining,
            a.size,
            a.entryNotional,
            a.collateral,
            ctx.market.priceWad,
            ctx.market.roundId
        );
    }

    /// @notice See IMarginPool.cancelOrder. Needs no price.
    function cancel(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        if (block.timestamp >= o.requestedAt + DELAY && block.timestamp <= o.expiresAt) {
            revert IMarginPool.MarginPool_OrderNotCancelable(account, o.requestedAt + DELAY, o.expiresAt);
        }
        delete self.orders[account];
        IMarginPool.Ledgers memory ledgers = self.ledgers;
        IMarginPool.Account memory a = self.accounts[account];
        IMarginPool.Account memory refunded = MarginAccount.copy(a);
        uint128 fee = executionFee(config).toUint128();
        ledgers.credited -= fee;
        refunded.collateral += fee;
        MarginLedger.setAccount(ledgers, a, refunded);
        self.accounts[account] = refunded;
        self.ledgers = ledgers;
        emit IMarginPool.OrderCanceled(account, o.sizeDelta);
    }

    /// @notice See IMarginPool.previewOrder.
    function previewOrder(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) external view returns (IMarginPool.Fill memory filled, bytes memory failure) {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        if (block.timestamp > o.expiresAt) {
            failure = abi.encodeWithSelector(
                IMarginPool.MarginPool_OrderPastExpiry.selector,
                account,
                o.expiresAt
            );
            return (filled, failure);
        }
        MarginState.Context memory ctx = self.preview(config);
        _requireExecutable(ctx, account, o);
        (filled, failure) = OrderFill.compute(ctx, account, self.accounts[account], o);
        if (failure.length != 0) delete filled;
    }

    /// @notice 0.5 quote.
    function executionFee(MarginState.Config memory config) internal pure returns (uint256) {
        return uint256(WAD / config.quoteScale / 2);
    }

    // ----------------------------------------------------------------- helpers

    function _requireExecutable(
        MarginState.Context memory ctx,
        address account,
        IMarginPool.Order memory o
    ) private pure {
        uint256 executableAt = o.requestedAt + DELAY;
        if (ctx.market.roundId <= o.roundId || ctx.market.updatedAt < executableAt) {
            revert IMarginPool.MarginPool_OrderTooEarly(account, ctx.market.roundId, o.roundId, executableAt);
        }
    }

    /// @dev What of the order stays queued: nothing once a reducing order has closed the position.
    function _remaining(
        IMarginPool.Order memory o,
        IMarginPool.Account memory a,
        int256 filled
    ) private pure returns (int256) {
        return o.reduceOnly && a.size == 0 ? int256(0) : o.sizeDelta - filled;
    }

    /// @dev Takes the order out of the queue and credits the executor its fee.
    function _remove(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        address account
    ) private {
        delete self.orders[account];
        self.credits[msg.sender] += executionFee(config);
    }

    /// @dev Whether the account stays at maintenance after another execution fee.
    function _affordsFee(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a
    ) private pure returns (bool) {
        int256 left = MarginAccount.equityOf(ctx, a) - int256(executionFee(ctx.config));
        return left >= int256(MarginAccount.maintenanceMargin(ctx, a.size));
    }

    /// @dev Moves an execution fee from the collateral into `credited`, where it stays whoever it ends up with.
    /// @return escrowed false, and nothing moved, when the collateral is smaller
    function _escrow(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a
    ) private pure returns (bool escrowed) {
        uint128 fee = executionFee(ctx.config).toUint128();
        if (a.collateral < fee) return false;
        IMarginPool.Account memory before = MarginAccount.copy(a);
        a.collateral -= fee;
        MarginLedger.setAccount(ctx.ledgers, before, a);
        ctx.ledgers.credited += fee;
        return true;
    }
}
