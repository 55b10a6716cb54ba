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
import {MarginState} from "./MarginState.sol";

/// @title LP entry and exit: prices, limits and their effect on the ledgers
/// @notice Linked into MarginPool and run on its storage. Tokens and shares move in MarginShares.
/// Entry is priced at E_ask and exit at E_bid, both over the wider LP band, so that nobody trades shares on a price
/// about to be updated; both pay w phi for the exposure they bring or take.
library ShareLogic {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SignedWadMath for int256;
    using MarginState for MarginState.Storage;
    using MarginState for MarginState.Context;

    uint256 private constant UNIT = 1e18;
    uint256 private constant PPM = 1e6;
    /// A withdrawal leaves E_bid >= 1.6 R and 2 % of the holdings in quote.
    int256 private constant WITHDRAWAL_RATIO_WAD = 1.6e18;
    int256 private constant QUOTE_RESERVE_WAD = 0.02e18;
    /// Largest deposit: what the ledgers' width has room for, whatever the decimals.
    uint256 private constant LARGEST_DEPOSIT = type(uint96).max;
    uint256 private constant MINIMUM_BOOTSTRAP_WAD = 1_000e18;

    // ------------------------------------------------------------- entry points

    /// @notice First liquidity, in kind, at the index price.
    function bootstrap(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 baseAmount,
        uint256 quoteAmount
    ) external returns (uint256 shares) {
        MarginState.Context memory ctx = self.open(config);
        int256 before = ctx.equity;
        ctx.ledgers.inventoryBase += baseAmount.toUint128();
        ctx.ledgers.inventoryQuote += quoteAmount.toUint128();
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
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) external returns (uint256 assets, uint256 shares) {
        MarginState.Context memory ctx = _openForShares(self, config, supply);
        (assets, shares) = _quoteEntry(ctx, supply, amount, inShares);
        if (assets == 0 || shares == 0) revert IMarginPool.MarginPool_ZeroAmount();
        IMarginPool.RiskState before = ctx.state;
        uint256 net = SharesMath.netDown(assets, _feeWad(ctx));
        ctx.ledgers.inventoryQuote += net.toUint128();
        ctx.ledgers.pendingIncome += (assets - net).toUint128();
        self.close(ctx);
        _requireNotWorse(ctx, before);
    }

    /// @notice Books a withdrawal of `amount` assets, or of what `amount` shares are worth.
    /// @return assets to pay out, quote token units
    /// @return shares to burn
    function exit(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply,
        address owner,
        uint256 amount,
        bool inShares
    ) external returns (uint256 assets, uint256 shares) {
        MarginState.Context memory ctx = _openForShares(self, config, supply);
        uint256 gross;
        (assets, shares, gross) = _quoteExit(ctx, supply, amount, inShares);
        if (shares == 0) revert IMarginPool.MarginPool_ZeroAmount(); // dust shares may leave for nothing
        uint256 limit = _exitLimit(ctx);
        if (gross > limit) {
            revert ERC4626.ERC4626ExceededMaxWithdraw(owner, assets, SharesMath.netDown(limit, _feeWad(ctx)));
        }
        IMarginPool.RiskState before = ctx.state;
        ctx.ledgers.inventoryQuote -= gross.toUint128();
        ctx.ledgers.pendingIncome += (gross - assets).toUint128();
        self.close(ctx);
        _requireNotWorse(ctx, before);
    }

    // -------------------------------------------------------------------- views

    /// @notice What `enter` would pull and mint now.
    function previewEnter(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) external view returns (uint256 assets, uint256 shares) {
        return _quoteEntry(self.preview(config), supply, amount, inShares);
    }

    /// @notice What `exit` would pay and burn now, limits aside.
    function previewExit(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply,
        uint256 amount,
        bool inShares
    ) external view returns (uint256 assets, uint256 shares) {
        (assets, shares, ) = _quoteExit(self.preview(config), supply, amount, inShares);
    }

    /// @notice Most that may enter now; 0 while the price is bad.
    function maximumEnter(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply
    ) external view returns (uint256 assets, uint256 shares) {
        (bool good, MarginState.Context memory ctx) = _tryContext(self, config);
        return good ? _quoteEntry(ctx, supply, _entryLimit(ctx, supply), false) : (0, 0);
    }

    /// @notice Most that an owner of `unlocked` free shares may take now; 0 while the price is bad.
    function maximumExit(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply,
        uint256 unlocked
    ) external view returns (uint256 assets, uint256 shares) {
        (bool good, MarginState.Context memory ctx) = _tryContext(self, config);
        if (!good || ctx.equityBid <= 0) return (0, 0);
        (uint256 limit, uint256 bid) = (_exitLimit(ctx), _bid(ctx));
        uint256 gross = SharesMath.toAssetsDown(unlocked, supply, bid).min(limit);
        assets = SharesMath.netDown(gross, _feeWad(ctx));
        shares = unlocked.min(SharesMath.toSharesDown(limit, supply, bid));
    }

    /// @notice max(E, 0) at the current price or, while that is bad, at the last good one. Never reverts.
    function totalEquity(
        MarginState.Storage storage self,
        MarginState.Config memory config
    ) external view returns (uint256) {
        (bool good, MarginState.Context memory ctx) = _tryContext(self, config);
        if (!good) {
            IVolatilityOracle.Market memory market;
            market.priceWad = self.marks.lastPriceWad;
            market.lowerPriceWad = market.priceWad;
            market.upperPriceWad = market.priceWad;
            market.volatilityWad = UNIT; // enters required capital only, which is not read from here
            market.roundId = self.round.roundId;
            ctx = self.openAt(config, market);
        }
        return uint256(ctx.equity.max(0) / config.quoteScale);
    }

    // ------------------------------------------------------------------- prices

    function _quoteEntry(
        MarginState.Context memory ctx,
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
        MarginState.Context memory ctx,
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
    function _feeWad(MarginState.Context memory ctx) private pure returns (uint256) {
        return (uint256(ctx.config.weightWad) * ctx.band.hedgeRatePpm) / PPM;
    }

    function _lpBand(MarginState.Context memory ctx) private pure returns (int256 lower, int256 upper) {
        lower = int256(ctx.market.priceWad.mulWad(UNIT - ctx.config.lpBandWad));
        upper = int256(ctx.market.priceWad.mulWadUp(UNIT + ctx.config.lpBandWad));
    }

    /// @dev E_bid over the LP band, 18 decimals.
    function _bidWad(MarginState.Context memory ctx) private pure returns (int256) {
        (int256 lower, int256 upper) = _lpBand(ctx);
        return SolvencyMath.equityBid(ctx.book, lower, upper);
    }

    /// @dev The same in quote token units, rounded down, not below zero.
    function _bid(MarginState.Context memory ctx) private pure returns (uint256) {
        return uint256(_bidWad(ctx).max(0) / ctx.config.quoteScale);
    }

    /// @dev E_ask over the LP band, quote token units, rounded up, not below zero.
    function _ask(MarginState.Context memory ctx) private pure returns (uint256) {
        (int256 lower, int256 upper) = _lpBand(ctx);
        return uint256(SolvencyMath.equityAsk(ctx.book, lower, upper).max(0).divCeil(ctx.config.quoteScale));
    }

    // ------------------------------------------------------------------- limits

    /// @dev Most that may leave, fee included: E_bid stays at 1.6 R, quote stays for traders' profits and claims, and
    /// the risk state does not get worse.
    function _exitLimit(MarginState.Context memory ctx) private pure returns (uint256) {
        if (!ctx.market.caughtUp) return 0;
        int256 limit = _bidWad(ctx) - ctx.required.mulWadCeil(WITHDRAWAL_RATIO_WAD);
        int256 holdings = ctx.book.inventoryQuote + ctx.book.inventoryBase.mulWadCeil(ctx.price);
        limit = limit.min(
            ctx.book.inventoryQuote -
                ctx.book.unpaidClaims -
                SolvencyMath.traderProfitUp(ctx.book, ctx.price).max(0) -
                holdings.mulWadCeil(QUOTE_RESERVE_WAD)
        );
        if (ctx.state == IMarginPool.RiskState.Normal) {
            limit = limit.min(
                SharesMath.maximumExit(
                    ctx.book.inventoryBase,
                    _wanted(ctx),
                    SolvencyMath.possibleInventory(ctx.book, ctx.price),
                    ctx.equity,
                    ctx.price,
                    ctx.config.weightWad,
                    int256(SolvencyMath.shockWad(ctx.market.volatilityWad))
                )
            );
        }
        return uint256(limit.max(0) / ctx.config.quoteScale);
    }

    /// @dev Most that may enter without making the risk state worse.
    function _entryLimit(MarginState.Context memory ctx, uint256 supply) private pure returns (uint256) {
        if (!ctx.market.caughtUp) return 0;
        if (supply == 0 || ctx.equityBid <= 0) return 0;
        if (ctx.state != IMarginPool.RiskState.Normal) return LARGEST_DEPOSIT;
        int256 limit = SharesMath.maximumEntry(
            ctx.book.inventoryBase,
            _wanted(ctx),
            ctx.equity,
            ctx.price,
            ctx.config.weightWad,
            int256(SolvencyMath.shockWad(ctx.market.volatilityWad))
        );
        return uint256(limit / ctx.config.quoteScale).min(LARGEST_DEPOSIT);
    }

    function _wanted(MarginState.Context memory ctx) private pure returns (int256) {
        return
            SolvencyMath.wantedInventory(
                SolvencyMath.skew(ctx.book),
                ctx.price,
                ctx.equity,
                ctx.config.weightWad
            );
    }

    function _requireNotWorse(MarginState.Context memory ctx, IMarginPool.RiskState before) private pure {
        if (ctx.state > before) {
            revert IMarginPool.MarginPool_StateWorse(before, ctx.state, ctx.solvencyRatioWad);
        }
    }

    // ------------------------------------------------------------------ context

    function _openForShares(
        MarginState.Storage storage self,
        MarginState.Config memory config,
        uint256 supply
    ) private returns (MarginState.Context memory ctx) {
        ctx = self.open(config);
        if (!ctx.market.caughtUp) revert IMarginPool.MarginPool_VolatilityBehind(ctx.market.roundId);
        // First liquidity is `bootstrap`'s: a dust deposit must not be able to take its place.
        if (supply == 0) revert IMarginPool.MarginPool_NotBootstrapped();
        if (ctx.equityBid <= 0) revert IMarginPool.MarginPool_Insolvent(ctx.equityBid);
    }

    /// @dev False while the price is bad.
    function _tryContext(
        MarginState.Storage storage self,
        MarginState.Config memory config
    ) private view returns (bool good, MarginState.Context memory ctx) {
        try config.volatilityOracle.preview() returns (IVolatilityOracle.Market memory market) {
            return (true, self.openAt(config, market));
        } catch {
            return (false, ctx);
        }
    }
}
