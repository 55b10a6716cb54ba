// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {SignedWadMath} from "../libraries/SignedWadMath.sol";
import {SkewMath} from "../libraries/SkewMath.sol";
import {MarginState} from "./MarginState.sol";

/// @title Movements between the ledgers: each aggregate changes in one function only
/// @notice Token units. Nothing is created here: what leaves one ledger enters another.
library MarginLedger {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using SignedWadMath for int256;

    uint256 internal constant PPM = 1e6;
    int256 internal constant WAD = 1e18;
    /// Part of taker fees that insurance keeps, 10 %.
    uint256 internal constant INSURANCE_FEE_PPM = 100_000;

    /// @notice Replaces an account's part of the aggregates: sizes, entry notionals and collateral per side.
    function setAccount(
        IMarginPool.Ledgers memory ledgers,
        IMarginPool.Account memory before,
        IMarginPool.Account memory next
    ) internal pure {
        if (before.size > 0) {
            ledgers.longOpenInterest -= uint128(before.size);
            ledgers.longEntryNotional -= before.entryNotional;
            ledgers.longCollateral -= before.collateral;
        } else if (before.size < 0) {
            ledgers.shortOpenInterest -= uint128(-before.size);
            ledgers.shortEntryNotional -= before.entryNotional;
            ledgers.shortCollateral -= before.collateral;
        } else {
            ledgers.freeCollateral -= before.collateral;
        }
        if (next.size > 0) {
            ledgers.longOpenInterest += uint128(next.size);
            ledgers.longEntryNotional += next.entryNotional;
            ledgers.longCollateral += next.collateral;
        } else if (next.size < 0) {
            ledgers.shortOpenInterest += uint128(-next.size);
            ledgers.shortEntryNotional += next.entryNotional;
            ledgers.shortCollateral += next.collateral;
        } else {
            ledgers.freeCollateral += next.collateral;
        }
        // What rounding left in an empty side's accrual belongs to nobody but LPs.
        if (ledgers.longOpenInterest == 0) ledgers.longAccrual = 0;
        if (ledgers.shortOpenInterest == 0) ledgers.shortAccrual = 0;
    }

    /// @notice Funding an account owes since its last touch, rounded up: against the account. Negative: receives.
    function fundingOwedUp(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a
    ) internal pure returns (int256) {
        int256 perBase = ctx.clock.fundingIndexWad - a.fundingIndexWad;
        return (int256(a.size) * ctx.config.baseScale).mulWadCeil(perBase).divCeil(ctx.config.quoteScale);
    }

    /// @notice Marks funding as settled: what was owed leaves the side's accrual. The cash moves with `payTrader`.
    function settleFunding(
        MarginState.Context memory ctx,
        IMarginPool.Account memory a,
        int256 owed
    ) internal pure {
        a.fundingIndexWad = ctx.clock.fundingIndexWad;
        if (a.size > 0) ctx.ledgers.longAccrual -= owed.toInt128();
        else if (a.size < 0) ctx.ledgers.shortAccrual -= owed.toInt128();
    }

    /// @notice size x price in quote token units, toward minus infinity; signed like `size`.
    function valueDown(
        MarginState.Config memory config,
        int256 size,
        uint256 priceWad
    ) internal pure returns (int256) {
        return (size * config.baseScale).mulWadFloor(int256(priceWad)).divFloor(config.quoteScale);
    }

    /// @notice |size| x price in quote token units, rounded up.
    function notionalUp(
        MarginState.Config memory config,
        int256 size,
        uint256 priceWad
    ) internal pure returns (uint256) {
        return uint256(-valueDown(config, -size.magnitude(), priceWad));
    }

    /// @notice Profit at `price` of `size` with `entryNotional`, rounded down: against the account. Token units.
    function profitDown(
        MarginState.Config memory config,
        int256 size,
        uint256 entryNotional,
        uint256 priceWad
    ) internal pure returns (int256) {
        int256 value = valueDown(config, size, priceWad);
        return size < 0 ? value + int256(entryNotional) : value - int256(entryNotional);
    }

    /// @notice LPs pay an account's gain from q. What q lacks (older claims come first) becomes a claim.
    function payTrader(
        IMarginPool.Ledgers memory ledgers,
        IMarginPool.Account memory a,
        uint256 gain
    ) internal pure {
        uint256 available = uint256(ledgers.inventoryQuote).zeroFloorSub(ledgers.unpaidClaims);
        uint128 paid = gain.min(available).toUint128();
        uint128 unpaid = gain.toUint128() - paid;
        ledgers.inventoryQuote -= paid;
        a.collateral += paid;
        ledgers.unpaidClaims += unpaid;
        a.unpaidClaim += unpaid;
    }

    /// @notice An account's loss goes to LPs. The caller has checked that the collateral covers it.
    function collectLoss(
        IMarginPool.Ledgers memory ledgers,
        IMarginPool.Account memory a,
        uint256 loss
    ) internal pure {
        a.collateral -= loss.toUint128();
        ledgers.inventoryQuote += loss.toUint128();
    }

    /// @notice Taker fee: 10 % insurance (rounded down), the rest to LPs through S.
    function bookFee(IMarginPool.Ledgers memory ledgers, uint256 fee) internal pure {
        uint128 insured = ((fee * INSURANCE_FEE_PPM) / PPM).toUint128();
        ledgers.insuranceFund += insured;
        ledgers.pendingIncome += fee.toUint128() - insured;
    }

    /// @notice The skew moved from K to K': J keeps `kept`, gives `rebate` to a trader and the rest to S, and takes
    /// `paid`. References that only older skew supports fall with it.
    /// @param skewAfter K', base token units
    /// @param kept of J, at most J
    /// @param rebate out of what J lost
    function movePremium(
        MarginState.Context memory ctx,
        int256 skewAfter,
        uint256 kept,
        uint256 rebate,
        uint256 paid
    ) internal pure {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 lost = ledgers.skewPremium - kept;
        ledgers.skewPremium = (kept + paid).toUint128();
        ledgers.pendingIncome += (lost - rebate).toUint128();
        ctx.exposure.skewReference = SkewMath.retained(ctx.exposure.skewReference, skewAfter).toInt128();
        ctx.round.rebateableSkew = SkewMath.retained(ctx.round.rebateableSkew, skewAfter).toInt128();
    }

    /// @notice Bad debt: insurance pays LPs what a trader could not, at most half of the fund per day.
    /// @return paid by insurance
    function coverBadDebt(
        IMarginPool.Ledgers memory ledgers,
        MarginState.Losses memory losses,
        uint256 shortfall,
        uint256 timestamp
    ) internal pure returns (uint256 paid) {
        losses.badDebt += shortfall.toUint128();
        if (timestamp >= losses.insuranceWindowAt + 1 days) {
            losses.insuranceWindowAt = uint40(timestamp);
            losses.insuranceAllowance = uint256(ledgers.insuranceFund / 2).min(type(uint88).max).toUint88();
        }
        paid = shortfall.min(losses.insuranceAllowance).min(ledgers.insuranceFund);
        losses.insuranceAllowance -= uint88(paid);
        ledgers.insuranceFund -= uint128(paid);
        ledgers.inventoryQuote += uint128(paid);
    }

    /// @notice Sum of all quote ledgers: what the pool's quote balance must cover.
    function quoteTotal(IMarginPool.Ledgers memory ledgers) internal pure returns (uint256) {
        return
            uint256(ledgers.inventoryQuote) +
            ledgers.longCollateral +
            ledgers.shortCollateral +
            ledgers.freeCollateral +
            ledgers.skewPremium +
            ledgers.pendingIncome +
            ledgers.insuranceFund +
            ledgers.credited;
    }
}
