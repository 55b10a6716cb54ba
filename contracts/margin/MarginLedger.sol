// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {SkewMath} from "../libraries/SkewMath.sol";
import {MarginAccount} from "./MarginAccount.sol";
import {MarginStorage} from "./MarginStorage.sol";

/// @title Movements between the ledgers: each aggregate changes in one function only
/// @notice Token units. Nothing is created here: what leaves one ledger enters another, and only `received` and `paid`
/// change what all of them are together.
library MarginLedger {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;

    uint256 internal constant BPS = 1e4;
    /// Insurance pays at most half of itself in this time.
    uint256 internal constant INSURANCE_PERIOD = 1 days;

    // ----------------------------------------------------------------- outside

    /// @notice Quote has come in from outside.
    function received(MarginStorage.Context memory ctx, uint256 amount) internal pure {
        ctx.accountedQuote += amount;
    }

    /// @notice Quote goes out.
    function paid(MarginStorage.Context memory ctx, uint256 amount) internal pure {
        ctx.accountedQuote -= amount;
    }

    // --------------------------------------------------------------- positions

    /// @notice Replaces an account's part of the aggregates: sizes, entry notionals and the collateral behind them. Sets
    /// `next.backing`.
    function moveAccount(
        IMarginPool.Ledgers memory ledgers,
        MarginAccount.Account memory before,
        MarginAccount.Account memory next
    ) internal pure {
        // A position that deleveraging left nothing of adds nothing on either side.
        if (before.size > 0) {
            ledgers.longOpenInterest -= uint256(before.size);
            ledgers.longEntryNotional -= before.entryNotional;
            ledgers.longCollateral -= before.backing;
        } else if (before.size < 0) {
            ledgers.shortOpenInterest -= uint256(-before.size);
            ledgers.shortEntryNotional -= before.entryNotional;
            ledgers.shortCollateral -= before.backing;
        }
        next.backing = next.size == 0 ? 0 : next.collateral.min(next.entryNotional);
        if (next.size > 0) {
            ledgers.longOpenInterest += uint256(next.size);
            ledgers.longEntryNotional += next.entryNotional;
            ledgers.longCollateral += next.backing;
        } else if (next.size < 0) {
            ledgers.shortOpenInterest += uint256(-next.size);
            ledgers.shortEntryNotional += next.entryNotional;
            ledgers.shortCollateral += next.backing;
        }
        // What rounding left in an empty side's accrual belongs to nobody but LPs.
        if (ledgers.longOpenInterest == 0) ledgers.longAccrual = 0;
        if (ledgers.shortOpenInterest == 0) ledgers.shortAccrual = 0;
    }

    /// @notice Marks what an account owed as settled: it leaves the side's accrual. The cash moves with `payTrader` or
    /// `collectLoss`.
    function settleOwed(
        IMarginPool.Ledgers memory ledgers,
        MarginAccount.Account memory a
    ) internal pure returns (int256 owed) {
        owed = a.owed;
        if (a.long) ledgers.longAccrual -= owed;
        else ledgers.shortAccrual -= owed;
        a.owed = 0;
    }

    /// @notice The collateral of an account changed and nothing else of it.
    function moveBacking(IMarginPool.Ledgers memory ledgers, int256 size, int256 delta) internal pure {
        if (size > 0) ledgers.longCollateral = uint256(int256(ledgers.longCollateral) + delta);
        else ledgers.shortCollateral = uint256(int256(ledgers.shortCollateral) + delta);
    }

    /// @notice LPs pay an account's gain from q. What q lacks (older claims come first) becomes a claim.
    function payTrader(
        IMarginPool.Ledgers memory ledgers,
        MarginAccount.Account memory a,
        uint256 gain
    ) internal pure {
        uint256 fromInventory = gain.min(ledgers.inventoryQuote.zeroFloorSub(ledgers.unpaidClaims));
        ledgers.inventoryQuote -= fromInventory;
        a.collateral += fromInventory;
        addClaim(ledgers, a, gain - fromInventory);
    }

    /// @notice An account's gain that is not paid yet.
    function addClaim(
        IMarginPool.Ledgers memory ledgers,
        MarginAccount.Account memory a,
        uint256 amount
    ) internal pure {
        ledgers.unpaidClaims += amount;
        a.newClaim += amount;
    }

    /// @notice An account's loss goes to LPs. The caller has checked that the collateral covers it.
    function collectLoss(
        IMarginPool.Ledgers memory ledgers,
        MarginAccount.Account memory a,
        uint256 loss
    ) internal pure {
        a.collateral -= loss;
        ledgers.inventoryQuote += loss;
    }

    // ------------------------------------------------------------------ income

    /// @notice A fee or penalty: insurance keeps its share (rounded down), the rest goes to LPs through S.
    function bookFee(
        IMarginPool.Ledgers memory ledgers,
        uint256 fee,
        uint256 insuranceShareBps
    ) internal pure {
        uint256 insured = (fee * insuranceShareBps) / BPS;
        ledgers.insuranceFund += insured;
        ledgers.pendingIncome += fee - insured;
    }

    /// @notice The skew moved to K': J keeps `kept`, gives `rebate` to a trader and the rest to S, and takes `booked` of
    /// what a trader `paid_`, S the difference. References that only older skew supports fall with it.
    /// @param skewAfter K', base token units
    /// @param kept of J, at most J
    /// @param rebate out of what J lost
    /// @param booked at most `paid_`
    function movePremium(
        MarginStorage.Context memory ctx,
        int256 skewAfter,
        uint256 kept,
        uint256 rebate,
        uint256 booked,
        uint256 paid_
    ) internal pure {
        IMarginPool.Ledgers memory ledgers = ctx.ledgers;
        uint256 lost = ledgers.skewPremium - kept;
        ledgers.skewPremium = kept + booked;
        ledgers.pendingIncome += lost - rebate + paid_ - booked;
        ctx.skewReference = SkewMath.retained(ctx.skewReference, skewAfter);
        ctx.rebateableSkew = SkewMath.retained(ctx.rebateableSkew, skewAfter);
    }

    /// @notice The same for skew that fell without a trade: nobody is paid.
    function dropPremium(MarginStorage.Context memory ctx, int256 skewBefore) internal pure {
        int256 skewAfter = int256(ctx.ledgers.longOpenInterest) - int256(ctx.ledgers.shortOpenInterest);
        uint256 kept = SkewMath.premiumKeptDown(ctx.ledgers.skewPremium, skewBefore, skewAfter);
        movePremium(ctx, skewAfter, kept, 0, 0, 0);
    }

    // --------------------------------------------------------------- insurance

    /// @notice Bad debt: insurance pays LPs what a trader could not, at most half of the fund per day.
    /// @return covered by insurance
    function coverBadDebt(
        MarginStorage.Storage storage self,
        IMarginPool.Ledgers memory ledgers,
        uint256 shortfall
    ) internal returns (uint256 covered) {
        self.badDebt += shortfall.toUint128();
        uint256 used = self.insuranceUsed;
        uint256 faded = (block.timestamp - self.insuranceUsedAt).min(INSURANCE_PERIOD);
        used -= (used * faded) / INSURANCE_PERIOD;
        // Half of what the fund would hold without the recent payments, less these payments.
        uint256 allowance = ((ledgers.insuranceFund + used) / 2).zeroFloorSub(used);
        covered = shortfall.min(allowance);
        self.insuranceUsed = (used + covered).toUint96();
        self.insuranceUsedAt = uint32(block.timestamp);
        ledgers.insuranceFund -= covered;
        ledgers.inventoryQuote += covered;
    }
}
