// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SignedWadMath} from "./SignedWadMath.sol";
import {VolatilityMath} from "./VolatilityMath.sol";

/// @title Equity, exposure and required capital of the margin pool
/// @notice Everything is 18-decimal: quote and base in whole tokens x 1e18, prices quote per base, ratios 1e18.
/// @dev Amounts are below 2^127 and prices below 2^120 (`MAXIMUM_AMOUNT`, `MAXIMUM_PRICE`; the margin pool refuses
/// larger ones). A product of the two is below 2^247, and no sum here has more than ten of them: the unchecked
/// arithmetic cannot overflow. Sums are kept at 1e36 and rounded once.
library SolvencyMath {
    using SignedWadMath for int256;

    /// @notice The margin pool's aggregates, scaled to 18 decimals.
    struct Book {
        int256 inventoryBase; // b
        int256 inventoryQuote; // q
        int256 longOpenInterest; // OI_L, base
        int256 shortOpenInterest; // OI_S, base
        int256 longEntryNotional; // N_L
        int256 shortEntryNotional; // N_S
        int256 longCollateral; // C_L
        int256 shortCollateral; // C_S
        int256 longAccrual; // A_L
        int256 shortAccrual; // A_S
        int256 skewPremium; // J
        int256 pendingIncome; // S
        int256 unpaidClaims; // Z
    }

    int256 internal constant WAD = 1e18;
    uint256 internal constant MAXIMUM_AMOUNT = 1 << 127;
    uint256 internal constant MAXIMUM_PRICE = 1 << 120;

    /// kappa: the part of a side's collateral that counts against its losses.
    int256 internal constant COLLATERAL_HAIRCUT_WAD = 0.9e18;
    /// b* never asks for more base than 98 % of what the pool owns could buy.
    int256 internal constant MAXIMUM_BASE_SHARE_WAD = 0.98e18;
    /// Price gaps R is computed for: six standard deviations of a day, within 20..50 %.
    uint256 internal constant GAP_DEVIATIONS_WAD = 6e18;
    uint256 internal constant GAP_MINIMUM_WAD = 0.2e18;
    uint256 internal constant GAP_MAXIMUM_WAD = 0.5e18;
    /// Losses that netting inside a side hides: 4 % of gross open interest.
    int256 internal constant GROSS_CHARGE_WAD = 0.04e18;
    /// Shock that exposure is judged by: 2.82 standard deviations of a day, at least 20 %.
    uint256 internal constant SHOCK_DEVIATIONS_WAD = 2.82e18;
    uint256 internal constant SHOCK_MINIMUM_WAD = 0.2e18;
    /// A pool whose exposure a shock would make pay for with more than 5 % of equity is Guarded, until it is 4 %.
    int256 internal constant GUARDED_SHOCK_WAD = 0.05e18;
    int256 internal constant UNGUARDED_SHOCK_WAD = 0.04e18;
    int256 internal constant PPM = 1e6;
    /// Below one whole quote token equity counts as one wherever something is divided by or scaled with it.
    int256 internal constant EQUITY_FLOOR = 1e18;

    /// @notice K = OI_L - OI_S.
    function skew(Book memory book) internal pure returns (int256) {
        unchecked {
            return book.longOpenInterest - book.shortOpenInterest;
        }
    }

    /// @notice U(p) = OI_L p - N_L + N_S - OI_S p: what traders have gained. Rounded up, against LPs.
    function traderProfitUp(Book memory book, int256 price) internal pure returns (int256) {
        unchecked {
            return (skew(book) * price).divCeil(WAD) - book.longEntryNotional + book.shortEntryNotional;
        }
    }

    /// @notice E = q + b P - U(P) + A_L + A_S - Z, rounded down.
    function equity(Book memory book, int256 price) internal pure returns (int256) {
        unchecked {
            int256 fixed_ =
                book.inventoryQuote +
                    book.longEntryNotional -
                    book.shortEntryNotional +
                    book.longAccrual +
                    book.shortAccrual -
                    book.unpaidClaims;
            return fixed_ + ((book.inventoryBase - skew(book)) * price).divFloor(WAD);
        }
    }

    /// @notice h(p): equity that counts a side's losses only up to the collateral behind them. Concave in p. Rounded
    /// down.
    function prudentEquity(Book memory book, int256 price) internal pure returns (int256) {
        unchecked {
            int256 longLoss = book.longEntryNotional * WAD - book.longOpenInterest * price;
            int256 shortLoss = book.shortOpenInterest * price - book.shortEntryNotional * WAD;
            int256 fixed_ =
                book.inventoryQuote + book.longAccrual.min(0) + book.shortAccrual.min(0) - book.unpaidClaims;
            int256 sum =
                book.inventoryBase * price +
                    longLoss.min(book.longCollateral * COLLATERAL_HAIRCUT_WAD) +
                    shortLoss.min(book.shortCollateral * COLLATERAL_HAIRCUT_WAD);
            return fixed_ + sum.divFloor(WAD);
        }
    }

    /// @notice E_bid = min(h(P-), h(P+)): the worst case inside the price band, because h is concave.
    function equityBid(Book memory book, int256 lower, int256 upper) internal pure returns (int256) {
        return prudentEquity(book, lower).min(prudentEquity(book, upper));
    }

    /// @notice E_ask: the best case at either end of the band, income on its way included. Rounded up.
    function equityAsk(Book memory book, int256 lower, int256 upper) internal pure returns (int256) {
        unchecked {
            int256 exposure = book.inventoryBase - skew(book);
            return
                (exposure * (exposure > 0 ? upper : lower)).divCeil(WAD) +
                book.inventoryQuote +
                book.longEntryNotional -
                book.shortEntryNotional +
                book.longAccrual.max(0) +
                book.shortAccrual.max(0) +
                book.skewPremium +
                book.pendingIncome -
                book.unpaidClaims;
        }
    }

    /// @notice max(E, 1 quote).
    function scalingEquity(int256 equity_) internal pure returns (int256) {
        return equity_.max(EQUITY_FLOOR);
    }

    /// @notice K + w E / P: the base that would hold the wanted risk, whether or not it can be held.
    /// @param weight w, at most 1e18
    function wantedInventory(
        int256 skew_,
        int256 price,
        int256 equity_,
        int256 weight
    ) internal pure returns (int256) {
        unchecked {
            return skew_ + (weight * scalingEquity(equity_)) / price;
        }
    }

    /// @notice q + b P, rounded down, not below zero.
    function holdingsDown(Book memory book, int256 price) internal pure returns (int256) {
        unchecked {
            return (book.inventoryQuote + (book.inventoryBase * price) / WAD).max(0);
        }
    }

    /// @notice 0.98 (q + b P) / P: the base that could be held.
    function possibleInventory(Book memory book, int256 price) internal pure returns (int256) {
        unchecked {
            return (MAXIMUM_BASE_SHARE_WAD * holdingsDown(book, price)) / price;
        }
    }

    /// @notice b* = clamp(K + w E / P, 0, 0.98 (q + b P) / P) for a skew K that need not be the book's.
    function targetInventory(
        Book memory book,
        int256 skew_,
        int256 price,
        int256 equity_,
        int256 weight
    ) internal pure returns (int256) {
        return wantedInventory(skew_, price, equity_, weight).max(0).min(possibleInventory(book, price));
    }

    /// @notice m = clamp(6 sigma sqrt(1 day), 20 %, 50 %).
    function gapWad(uint256 sigmaWad) internal pure returns (uint256) {
        return
            FixedPointMathLib.clamp(
                FixedPointMathLib.mulWad(GAP_DEVIATIONS_WAD, VolatilityMath.dayDeviationWad(sigmaWad)),
                GAP_MINIMUM_WAD,
                GAP_MAXIMUM_WAD
            );
    }

    /// @notice max(2.82 sigma sqrt(1 day), 20 %).
    function shockWad(uint256 sigmaWad) internal pure returns (uint256) {
        return
            FixedPointMathLib.max(
                FixedPointMathLib.mulWad(SHOCK_DEVIATIONS_WAD, VolatilityMath.dayDeviationWad(sigmaWad)),
                SHOCK_MINIMUM_WAD
            );
    }

    /// @notice R = max(0, h(P) - h(P (1 - m)), h(P) - h(P (1 + m))) + 4 % (OI_L + OI_S) P + eps |b - K| P. Rounded up.
    function requiredCapital(
        Book memory book,
        int256 price,
        uint256 sigmaWad,
        uint256 unwindCostPpm
    ) internal pure returns (int256) {
        unchecked {
            int256 gap = int256(gapWad(sigmaWad));
            int256 worst = prudentEquity(book, (price * (WAD - gap)) / WAD).min(
                prudentEquity(book, (price * (WAD + gap)).divCeil(WAD))
            );
            int256 loss = (prudentEquity(book, price) - worst).max(0);
            int256 gross = ((book.longOpenInterest + book.shortOpenInterest) * price).divCeil(WAD);
            int256 delta = ((book.inventoryBase - skew(book)).magnitude() * price).divCeil(WAD);
            return
                loss + (gross * GROSS_CHARGE_WAD).divCeil(WAD) + (delta * int256(unwindCostPpm)).divCeil(PPM);
        }
    }

    /// @notice SR = E_bid / R; the largest number when nothing is required of a pool that owes nothing, as an empty one;
    /// otherwise 0 when E_bid is not positive.
    function solvencyRatioWad(int256 equityBid_, int256 required) internal pure returns (uint256) {
        unchecked {
            if (required == 0 && equityBid_ >= 0) return type(uint256).max;
            if (equityBid_ <= 0) return 0;
            return uint256((equityBid_ * WAD) / required);
        }
    }
}
