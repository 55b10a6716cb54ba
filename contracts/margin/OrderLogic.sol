// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginParameters} from "./MarginParameters.sol";
import {MarginState} from "./MarginState.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {OrderFill} from "./OrderFill.sol";

/// @title Orders: request, execute, cancel
/// @notice Linked into MarginPool and run on its storage. How an order fills is OrderFill's.
library OrderLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;
    using MarginState for MarginStorage.Storage;

    int256 internal constant WAD = 1e18;
    uint256 internal constant DELAY = 4 seconds;
    uint256 internal constant MAXIMUM_LIFETIME = 10 minutes;

    // ------------------------------------------------------------- entry points

    /// @notice See IMarginPool.requestOrder.
    function request(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
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
        MarginStorage.Context memory ctx;
        self.open(config, ctx);
        MarginAccount.Account memory a = MarginAccount.load(self, ctx, account);
        // What later arithmetic on sizes relies on.
        if (
            int256(sizeDelta.toInt128()).magnitude() * config.baseScale >= int256(SolvencyMath.MAXIMUM_AMOUNT)
        ) {
            revert IMarginPool.MarginPool_AmountOutOfBounds(
                uint256(sizeDelta.magnitude()),
                SolvencyMath.MAXIMUM_AMOUNT / uint256(config.baseScale)
            );
        }
        int256 sizeAfter = a.size + sizeDelta;
        bool reduceOnly = sizeDelta.oppositeSigns(a.size) && sizeDelta.magnitude() <= a.size.magnitude();

        uint256 fee = executionFee(config);
        if (a.collateral < fee) {
            revert IMarginPool.MarginPool_InsufficientFreeMargin(account, fee, a.collateral);
        }
        a.collateral -= fee;
        uint256 needed;
        if (!reduceOnly) {
            MarginParameters.Values memory parameters = MarginParameters.load(self.parameters);
            (, needed) = MarginAccount.initialMargin(ctx, parameters, sizeAfter);
        }
        // An account below maintenance is liquidation's: it could otherwise pay its last margin away in fees.
        needed = needed.max(MarginAccount.maintenanceMargin(ctx, a.size));
        int256 equity = MarginAccount.equityOf(ctx, a);
        if (equity < int256(needed)) {
            revert IMarginPool.MarginPool_InsufficientMargin(account, equity, needed);
        }
        // Profit that is not realized may carry what collateral does not.
        uint256 reserved = reduceOnly ? 0 : needed.min(a.collateral).min(type(uint88).max);
        _setCollateral(self, ctx.ledgers, account, a.collateral);
        self.orders[account] = IMarginPool.Order({
            sizeDelta: int128(sizeDelta),
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
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account
    ) external {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        MarginStorage.Context memory ctx;
        self.open(config, ctx);
        if (block.timestamp > o.expiresAt) {
            _remove(self, config, account);
            self.close(ctx);
            emit IMarginPool.OrderExpired(account, msg.sender, o.sizeDelta, o.expiresAt);
            return;
        }
        _requireExecutable(ctx, account, o);
        MarginAccount.Account memory a = MarginAccount.load(self, ctx, account);
        (IMarginPool.Fill memory fill, bytes memory failure) = OrderFill.compute(
            self,
            ctx,
            MarginParameters.load(self.parameters),
            account,
            a,
            o
        );
        if (failure.length != 0) {
            _fail(self, config, account, ctx.market);
            emit IMarginPool.OrderFailed(account, msg.sender, o.sizeDelta, failure);
            return;
        }
        _remove(self, config, account);
        int256 remaining = _remaining(o, a, fill.sizeDelta);
        // The rest waits for another round and pays for another execution; without margin for that it lapses.
        bool waits = remaining != 0 && _affordsFee(ctx, a);
        if (waits) {
            MarginAccount.Account memory before = MarginAccount.copy(a);
            a.collateral -= executionFee(config);
            MarginLedger.moveAccount(ctx.ledgers, before, a);
            o.sizeDelta = int128(remaining); // part of an int128
            o.requestedAt = uint40(block.timestamp);
            o.roundId = ctx.market.roundId;
            self.orders[account] = o;
        } else {
            remaining = 0;
        }
        MarginAccount.store(self, ctx, account, a);
        if (waits) self.close(ctx);
        else self.closeRefreshed(ctx);
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
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account
    ) external {
        IMarginPool.Order memory o = self.orders[account];
        if (o.requestedAt == 0) revert IMarginPool.MarginPool_NoOrder(account);
        bool executable = block.timestamp >= o.requestedAt + DELAY && block.timestamp <= o.expiresAt;
        if (executable && self.settlement.settledAt == 0) {
            revert IMarginPool.MarginPool_OrderNotCancelable(account, o.requestedAt + DELAY, o.expiresAt);
        }
        delete self.orders[account];
        (, , uint256 collateral, , , ) = MarginStorage.loadPosition(self.positions[account]);
        (int256 size, int256 delta) = MarginAccount.setCollateral(
            self,
            account,
            collateral + executionFee(config)
        );
        if (delta != 0) MarginStorage.addCollateral(self, size > 0, delta);
        emit IMarginPool.OrderCanceled(account, o.sizeDelta);
    }

    /// @notice See IMarginPool.previewOrder.
    function previewOrder(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
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
        MarginStorage.Context memory ctx;
        self.preview(config, ctx);
        _requireExecutable(ctx, account, o);
        (filled, failure) = OrderFill.compute(
            self,
            ctx,
            MarginParameters.load(self.parameters),
            account,
            MarginAccount.load(self, ctx, account),
            o
        );
        if (failure.length != 0) delete filled;
    }

    /// @notice 0.5 quote.
    function executionFee(MarginStorage.Config memory config) internal pure returns (uint256) {
        return uint256(WAD / config.quoteScale / 2);
    }

    // ----------------------------------------------------------------- helpers

    function _requireExecutable(
        MarginStorage.Context memory ctx,
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
        MarginAccount.Account memory a,
        int256 filled
    ) private pure returns (int256) {
        return o.reduceOnly && a.size == 0 ? int256(0) : o.sizeDelta - filled;
    }

    /// @dev Removes an order whose fill has failed. It was computed on one copy; this one is as stored.
    function _fail(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account,
        IVolatilityOracle.Market memory market
    ) private {
        MarginStorage.Context memory ctx;
        self.openAt(config, market, ctx);
        _remove(self, config, account);
        self.close(ctx);
    }

    /// @dev Takes the order out of the queue and credits the executor its fee.
    function _remove(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        address account
    ) private {
        delete self.orders[account];
        self.credits[msg.sender] += executionFee(config);
    }

    /// @dev Whether the account can pay another execution fee and stay at maintenance.
    function _affordsFee(
        MarginStorage.Context memory ctx,
        MarginAccount.Account memory a
    ) private pure returns (bool) {
        uint256 fee = executionFee(ctx.config);
        int256 left = MarginAccount.equityOf(ctx, a) - int256(fee);
        return a.collateral >= fee && left >= int256(MarginAccount.maintenanceMargin(ctx, a.size));
    }

    /// @dev The execution fee left the collateral; it is in custody until somebody is credited it.
    function _setCollateral(
        MarginStorage.Storage storage self,
        IMarginPool.Ledgers memory ledgers,
        address account,
        uint256 collateral
    ) private {
        (int256 size, int256 delta) = MarginAccount.setCollateral(self, account, collateral);
        if (delta != 0) MarginLedger.moveBacking(ledgers, size, delta);
    }
}
