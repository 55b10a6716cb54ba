// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {SharesMath} from "../libraries/SharesMath.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SolvencyMath} from "../libraries/SolvencyMath.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginState} from "./MarginState.sol";
import {MarginStorage} from "./MarginStorage.sol";

/// @title LP entry and exit: prices, limits and their effect on the ledgers
/// @notice Linked into MarginPool and run on its storage. Tokens and shares move in MarginShares.
/// Entry is priced at E_ask and exit at E_bid, both over the wider LP band, so that nobody trades shares on a price
/// about to be updated; both pay w phi for the exposure they bring or take.
library ShareLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SignedWadMath for int256;
    using MarginState for MarginStorage.Storage;
    using MarginState for MarginStorage.Context;

    uint256 private constant UNIT = 1e18;
    uint256 private constant PPM = 1e6;
    /// A withdrawal leaves E_bid >= 1.6 R and 2 % of the holdings in quote.
    int256 private constant WITHDRAWAL_RATIO_WAD = 1.6e18;
    int256 private constant QUOTE_RESERVE_WAD = 0.02e18;
    uint256 private constant MINIMUM_BOOTSTRAP_WAD = 1_000e18;

    // ------------------------------------------------------------- entry points

    /// @notice First liquidity, in kind, at the index price.
    function bootstrap(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 baseAmount,
        uint256 quoteAmount
    ) external returns (uint256 shares) {
        MarginStorage.Context memory ctx;
        self.open(config, ctx);
        int256 before = ctx.equity;
        ctx.ledgers.inventoryBase += baseAmount.toUint128();
        ctx.ledgers.inventoryQuote += quoteAmount.toUint128();
        MarginLedger.received(ctx, quoteAmount);
        self.close(ctx);
        uint256 added = uint256((ctx.equity - before).max(0));
        if (added < MINIMUM_BOOTSTRAP_WAD) {
            revert IMarginPool.MarginPool_BootstrapTooSmall(
                added / uint256(config.quoteScale),
                MINIMUM_BOOTSTRAP_WAD / uint256(config.quoteScale)
            );
        }
        shares = SharesMath.toSharesDown(
            added / uint256(config.quoteScale),
            0,
            uint256(before.max(0) / config.quoteScale)
        );
        emit IMarginPool.Bootstrapped(msg.sender, baseAmount, quoteAmount, shares, ctx.market.priceWad);
    }

    /// @notice Books a deposit of `amount` assets, or of what `amount` shares cost.
    /// @param supply of shares
    /// @return assets to pull, quote token units
    /// @return shares to mint
    function enter(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) external returns (uint256 assets, uint256 shares) {
        MarginStorage.Context memory ctx;
        _openForShares(self, config, supply, ctx);
        ctx.requireNotPaused();
        (assets, shares) = _quoteEntry(ctx, supply, amount, inShares);
        if (assets == 0 || shares == 0) revert IMarginPool.MarginPool_ZeroAmount();
        IMarginPool.RiskState before = ctx.state;
        uint256 net = SharesMath.netDown(assets, _feeWad(ctx));
        ctx.ledgers.inventoryQuote += net;
        ctx.ledgers.pendingIncome += assets - net;
        MarginLedger.received(ctx, assets);
        self.close(ctx);
        ctx.requireNotWorse(before);
    }

    /// @notice Books a withdrawal of `amount` assets, or of what `amount` shares are worth.
    /// @return assets to pay out, quote token units
    /// @return shares to burn
    function exit(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply,
        address owner,
        uint256 amount,
        bool inShares
    ) external returns (uint256 assets, uint256 shares) {
        MarginStorage.Context memory ctx;
        _openForShares(self, config, supply, ctx);
        uint256 gross;
        (assets, shares, gross) = _quoteExit(ctx, supply, amount, inShares);
        if (shares == 0) revert IMarginPool.MarginPool_ZeroAmount(); // dust shares may leave for nothing
        uint256 limit = _exitLimit(ctx);
        if (gross > limit) {
            revert ERC4626.ERC4626ExceededMaxWithdraw(owner, assets, SharesMath.netDown(limit, _feeWad(ctx)));
        }
        IMarginPool.RiskState before = ctx.state;
        ctx.ledgers.inventoryQuote -= gross;
        ctx.ledgers.pendingIncome += gross - assets;
        MarginLedger.paid(ctx, assets);
        self.close(ctx);
        ctx.requireNotWorse(before);
    }

    // -------------------------------------------------------------------- views

    /// @notice What `enter` would pull and mint now.
    function previewEnter(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) external view returns (uint256 assets, uint256 shares) {
        MarginStorage.Context memory ctx;
        self.preview(config, ctx);
        return _quoteEntry(ctx, supply, amount, inShares);
    }

    /// @notice What `exit` would pay and burn now, limits aside.
    function previewExit(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) external view returns (uint256 assets, uint256 shares) {
        MarginStorage.Context memory ctx;
        self.preview(config, ctx);
        (assets, shares, ) = _quoteExit(ctx, supply, amount, inShares);
    }

    /// @notice Most that may enter now; 0 while the price is bad.
    function maximumEnter(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply
    ) external view returns (uint256 assets, uint256 shares) {
        MarginStorage.Context memory ctx;
        bool good = _tryContext(self, config, ctx);
        if (!good || !_mayTradeShares(ctx)) return (0, 0);
        if (block.timestamp < ctx.pausedUntil) return (0, 0);
        return _quoteEntry(ctx, supply, _entryLimit(ctx, supply), false);
    }

    /// @notice Most that an owner of `unlocked` free shares may take now; 0 while the price is bad.
    function maximumExit(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply,
        uint256 unlocked
    ) external view returns (uint256 assets, uint256 shares) {
        MarginStorage.Context memory ctx;
        bool good = _tryContext(self, config, ctx);
        if (!good || ctx.equityBid <= 0 || !_mayTradeShares(ctx)) return (0, 0);
        (uint256 limit, uint256 bid) = (_exitLimit(ctx), _bid(ctx));
        uint256 gross = SharesMath.toAssetsDown(unlocked, supply, bid).min(limit);
        assets = SharesMath.netDown(gross, _feeWad(ctx));
        shares = unlocked.min(SharesMath.toSharesDown(limit, supply, bid));
    }

    /// @notice max(E, 0) at the current price or, while that is bad, at the last good one. Never reverts.
    function totalEquity(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config
    ) external view returns (uint256) {
        MarginStorage.Context memory ctx;
        bool good = _tryContext(self, config, ctx);
        if (!good) {
            (uint256 priceWad, ) = config.volatilityOracle.lastGood();
            self.stillAt(config, priceWad, ctx);
        }
        return uint256(ctx.equity.max(0) / config.quoteScale);
    }

    // ------------------------------------------------------------------- prices

    function _quoteEntry(
        MarginStorage.Context memory ctx,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) private pure returns (uint256 assets, uint256 shares) {
        uint256 ask = _ask(ctx);
        (assets, shares) = (amount, amount);
        if (inShares) assets = SharesMath.grossUp(SharesMath.toAssetsUp(shares, supply, ask), _feeWad(ctx));
        else shares = SharesMath.toSharesDown(SharesMath.netDown(assets, _feeWad(ctx)), supply, ask);
    }

    /// @dev gross: what leaves LPs' equity, assets and fee.
    function _quoteExit(
        MarginStorage.Context memory ctx,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) private pure returns (uint256 assets, uint256 shares, uint256 gross) {
        uint256 bid = _bid(ctx);
        (assets, shares) = (amount, amount);
        if (inShares) {
            gross = SharesMath.toAssetsDown(shares, supply, bid);
            assets = SharesMath.netDown(gross, _feeWad(ctx));
        } else {
            gross = SharesMath.grossUp(assets, _feeWad(ctx));
            shares = SharesMath.toSharesUp(gross, supply, bid);
        }
    }

    /// @dev w phi: cost of the exposure that a deposit brings or a withdrawal takes. 1e18.
    function _feeWad(MarginStorage.Context memory ctx) private pure returns (uint256) {
        return (uint256(ctx.config.weightWad) * ctx.hedgeRatePpm) / PPM;
    }

    function _lpBand(MarginStorage.Context memory ctx) private pure returns (int256 lower, int256 upper) {
        lower = int256(ctx.market.priceWad.mulWad(UNIT - ctx.config.lpBandWad));
        upper = int256(ctx.market.priceWad.mulWadUp(UNIT + ctx.config.lpBandWad));
    }

    /// @dev E_bid over the LP band, 18 decimals.
    function _bidWad(MarginStorage.Context memory ctx) private pure returns (int256) {
        (int256 lower, int256 upper) = _lpBand(ctx);
        return SolvencyMath.equityBid(ctx.book, lower, upper);
    }

    /// @dev The same in quote token units, rounded down, not below zero.
    function _bid(MarginStorage.Context memory ctx) private pure returns (uint256) {
        return uint256(_bidWad(ctx).max(0) / ctx.config.quoteScale);
    }

    /// @dev E_ask over the LP band, quote token units, rounded up, not below zero.
    function _ask(MarginStorage.Context memory ctx) private pure returns (uint256) {
        (int256 lower, int256 upper) = _lpBand(ctx);
        return uint256(SolvencyMath.equityAsk(ctx.book, lower, upper).max(0).divCeil(ctx.config.quoteScale));
    }

    // ------------------------------------------------------------------- limits

    /// @dev Most that may leave, fee included: the risk state does not get worse, E_bid stays at 1.6 R, and quote stays for
    /// traders' profits and claims.
    function _exitLimit(MarginStorage.Context memory ctx) private pure returns (uint256) {
        int256 limit = ctx.state == IMarginPool.RiskState.Normal ? _exitWithinState(ctx) : type(int256).max;
        limit = limit.min(_bidWad(ctx) - ctx.required.mulWadCeil(WITHDRAWAL_RATIO_WAD));
        int256 holdings = ctx.book.inventoryQuote + ctx.book.inventoryBase.mulWadCeil(ctx.price);
        int256 owed = ctx.book.unpaidClaims + SolvencyMath.traderProfitUp(ctx.book, ctx.price).max(0);
        limit = limit.min(ctx.book.inventoryQuote - owed - holdings.mulWadCeil(QUOTE_RESERVE_WAD));
        return uint256(limit.max(0) / ctx.config.quoteScale);
    }

    function _exitWithinState(MarginStorage.Context memory ctx) private pure returns (int256) {
        return
            SharesMath.maximumExit(
                ctx.book.inventoryBase,
                _wanted(ctx),
                SolvencyMath.possibleInventory(ctx.book, ctx.price),
                ctx.equity,
                ctx.price,
                ctx.config.weightWad,
                int256(SolvencyMath.shockWad(ctx.market.volatilityWad))
            );
    }

    /// @dev Most that may enter without making the risk state worse.
    function _entryLimit(MarginStorage.Context memory ctx, uint256 supply) private pure returns (uint256) {
        if (supply == 0 || ctx.equityBid <= 0) return 0;
        uint256 room = _ledgerRoom(ctx);
        if (ctx.state != IMarginPool.RiskState.Normal) return room;
        int256 limit = SharesMath.maximumEntry(
            ctx.book.inventoryBase,
            _wanted(ctx),
            ctx.equity,
            ctx.price,
            ctx.config.weightWad,
            int256(SolvencyMath.shockWad(ctx.market.volatilityWad))
        );
        return uint256(limit / ctx.config.quoteScale).min(room);
    }

    /// @dev What the ledgers' width and the arithmetic on them still have room for.
    function _ledgerRoom(MarginStorage.Context memory ctx) private pure returns (uint256) {
        uint256 largest = (SolvencyMath.MAXIMUM_AMOUNT - 1) / uint256(ctx.config.quoteScale);
        uint256 used = ctx.ledgers.inventoryQuote.max(ctx.ledgers.pendingIncome);
        return largest.zeroFloorSub(used).min(MarginStorage.MAXIMUM_QUOTE - ctx.accountedQuote);
    }

    function _wanted(MarginStorage.Context memory ctx) private pure returns (int256) {
        return
            SolvencyMath.wantedInventory(
                SolvencyMath.skew(ctx.book),
                ctx.price,
                ctx.equity,
                ctx.config.weightWad
            );
    }

    // ------------------------------------------------------------------ context

    function _openForShares(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        uint256 supply,
        MarginStorage.Context memory ctx
    ) private {
        self.open(config, ctx);
        if (!ctx.market.caughtUp) revert IMarginPool.MarginPool_VolatilityBehind(ctx.market.roundId);
        ctx.requireNearAverage();
        // First liquidity is `bootstrap`'s: a dust deposit must not be able to take its place.
        if (supply == 0) revert IMarginPool.MarginPool_NotBootstrapped();
        if (ctx.equityBid <= 0) revert IMarginPool.MarginPool_Insolvent(ctx.equityBid);
    }

    /// @dev What entry and exit have in common: the pool lives, no round waits to be folded, and the pool's average price
    /// is near the index.
    function _mayTradeShares(MarginStorage.Context memory ctx) private view returns (bool) {
        if (ctx.state == IMarginPool.RiskState.Settled || !ctx.market.caughtUp) return false;
        (uint256 distance, uint256 allowed) = ctx.distanceFromAverage();
        return distance <= allowed;
    }

    /// @dev False while the price is bad. A settled pool has a price for good.
    function _tryContext(
        MarginStorage.Storage storage self,
        MarginStorage.Config memory config,
        MarginStorage.Context memory ctx
    ) private view returns (bool good) {
        if (self.settlement.settledAt != 0) {
            self.frozen(config, ctx);
            return true;
        }
        try config.volatilityOracle.preview() returns (IVolatilityOracle.Market memory market) {
            self.openAt(config, market, ctx);
            return true;
        } catch {
            return false;
        }
    }
}
