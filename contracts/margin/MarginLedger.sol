// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {SkewMath} from "../libraries/SkewMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginState} from "./MarginState.sol";

/// @title Movements between the ledgers: each aggregate changes in one function only
/// @notice Token units. Nothing is created here: what leaves one ledger enters another.
library MarginLedger {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;
    using MarginAccount for IMarginPool.Account;

    uint256 internal constant PPM = 1e6;
    /// Part of taker fees that insurance keeps, 10 %.
    uint256 internal constant INSURANCE_FEE_PPM = 100_000;
    /// Insurance pays at most half of itself in this time.
    uint256 internal constant INSURANCE_PERIOD = 1 days;

    /// @notice Replaces an account's part of the aggregates: sizes, entry notionals and collateral. A side's collateral
    /// holds what backs its positions, the free collateral everything else.
    function setAccount(
        IMarginPool.Ledgers memory ledgers,
        IMarginPool.Account memory before,
        IMarginPool.Account memory next
    ) internal pure {
        uint128 backing = before.backing();
        if (before.size > 0) {
            ledgers.longOpenInterest -= uint128(before.size);
            ledgers.longEntryNotional -= before.entryNotional;
            ledgers.longCollateral -= backing;
        } else if (before.size < 0) {
            ledgers.shortOpenInterest -= uint128(-before.size);
            ledgers.shortEntryNotional -= before.entryNotional;
            ledgers.shortCollateral -= backing;
        }
        ledgers.freeCollateral -= before.collateral - backing;
        backing = next.backing();
        if (next.size > 0) {
            ledgers.longOpenInterest += uint128(next.size);
            ledgers.longEntryNotional += next.entryNotional;
            ledgers.longCollateral += backing;
        } else if (next.size < 0) {
            ledgers.shortOpenInterest += uint128(-next.size);
            ledgers.shortEntryNotional += next.entryNotional;
            ledgers.shortCollateral += backing;
        }
        ledgers.freeCollateral += next.collateral - backing;
        // What rounding left in an empty side's accrual belongs to nobody but LPs.
        if (ledgers.longOpenInterest == 0) ledgers.longAccrual = 0;
        if (ledgers.shortOpenInterest == 0) ledgers.shortAccrual = 0;
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

    /// @notice The skew moved to K': J keeps `kept`, gives `rebate` to a trader and the rest to S, and takes `booked` of
    /// what a trader `paid`, S the difference. References that only older skew supports fall with it.
    /// @param skewAfter K', base token units
    /// @param kept of J, at most J
    /// @param rebate out of what J lost
    /// @param booked at most `paid`
    function movePremium(
        MarginState.Context memory ctx,
        int256 skewAfter,
        uint256 kept,
        uint256 rebate,
        uint256 booked,
        uint256 paid
    ) internal pure {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 lost = ledgers.skewPremium - kept;
        ledgers.skewPremium = (kept + booked).toUint128();
        ledgers.pendingIncome += (lost - rebate + paid - booked).toUint128();
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
        uint256 faded = (timestamp - losses.insuranceUsedAt).min(INSURANCE_PERIOD);
        uint256 used = losses.insuranceUsed - (losses.insuranceUsed * faded) / INSURANCE_PERIOD;
        // Half of what the fund would hold without the recent payments, less these payments.
        uint256 allowance = ((ledgers.insuranceFund + used) / 2).zeroFloorSub(used);
        paid = shortfall.min(allowance).min(type(uint88).max - used);
        losses.insuranceUsed = uint88(used + paid);
        losses.insuranceUsedAt = uint40(timestamp);
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
