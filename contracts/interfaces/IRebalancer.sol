// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Decides when and how much the margin pool trades back toward its target, and does it
/// @notice Permissionless. Whoever calls chooses nothing: direction, size and the worst acceptable price follow from
/// the margin pool's state, the oracle price and the invariant of the constant-product pool.
interface IRebalancer {
    /// @notice Why nothing is to be done, or `Due`.
    enum Reason {
        Due,
        InsideBand,
        NotYetEligible,
        AlreadyThisBlock,
        PoolTooShallow,
        InsufficientInventory,
        Insolvent
    }

    /// @notice Everything a keeper, a page or a test needs to know about the next rebalance. Amounts in token units.
    /// @param reason `Due` when `rebalance()` may be called now
    /// @param sellBase direction: the pool sells base into the constant-product pool, or buys it
    /// @param netExposureBase D = b - b*, signed
    /// @param targetInventoryBase b*
    /// @param innerBand h_in, where an episode closes
    /// @param outerBand h_out, outside of which an episode opens
    /// @param amountBase size of the next chunk
    /// @param quoteLimit least quote to receive (sell) or most to pay (buy)
    /// @param toleranceWad eps(t), how far from the re-marked pool the trade may be, 1e18
    /// @param outsideSince when the exposure was first seen outside, unix seconds; 0 inside
    /// @param episodeOpen whether an episode is open
    struct Plan {
        Reason reason;
        bool sellBase;
        int256 netExposureBase;
        uint256 targetInventoryBase;
        uint256 innerBand;
        uint256 outerBand;
        uint256 amountBase;
        uint256 quoteLimit;
        uint256 toleranceWad;
        uint256 outsideSince;
        bool episodeOpen;
    }

    /// @notice The pool traded one chunk back toward its target.
    /// @param keeper who called
    /// @param baseDelta change of the pool's base inventory, token units
    /// @param quoteDelta change of the pool's quote inventory, token units
    /// @param indexPriceWad oracle price at the trade
    /// @param cost oracle value given up, quote token units, signed
    /// @param exposureBefore D before
    /// @param exposureAfter D after
    event Rebalanced(
        address indexed keeper,
        int256 baseDelta,
        int256 quoteDelta,
        uint256 indexPriceWad,
        int256 cost,
        int256 exposureBefore,
        int256 exposureAfter
    );
    /// @notice The band was measured again.
    /// @param outerBand h_out, base token units
    /// @param targetVarianceWad nu^2, (share of equity)^2 per year, 1e18
    /// @param depthBase x_ema, base token units
    /// @param unwindCostPpm eps = 2 f + q_max / x, 1e6 = 100 %
    event BandUpdated(uint256 outerBand, uint256 targetVarianceWad, uint256 depthBase, uint256 unwindCostPpm);

    /// @notice Nothing is due; the reason says why.
    error Rebalancer_NotDue(Reason reason, int256 netExposureBase, uint256 outerBand, uint256 outsideSince);
    /// @notice The trade would not have shrunk the exposure, or would have crossed the target.
    error Rebalancer_ExposureNotReduced(int256 exposureBefore, int256 exposureAfter);
    /// @notice The constant-product pool does not hold the margin pool's two tokens.
    error Rebalancer_PoolTokensMismatch(address pool, address token0, address token1);

    /// @notice The first guess of the target's daily move is outside 0.5 % .. 100 % of equity.
    error Rebalancer_InitialTargetVolatilityOutOfBounds(
        uint256 volatilityWad,
        uint256 minimumWad,
        uint256 maximumWad
    );

    /// @notice The margin pool this rebalancer acts for.
    function marginPool() external view returns (address);

    /// @notice The constant-product pool it trades with.
    function pool() external view returns (address);

    /// @notice What `rebalance()` would do now. Reverts while the price is bad.
    function previewRebalance() external view returns (Plan memory plan);

    /// @notice Trades one chunk toward the target. One per block.
    /// @return plan what was done
    function rebalance() external returns (Plan memory plan);

    /// @notice Folds missed rounds and, once per round, measures the band: the variance rate of the target and the
    /// pool's depth. Anyone may call; calling more often changes nothing.
    function poke() external;

    /// @notice State of the band's measurement.
    /// @return targetVarianceWad nu^2, (share of equity)^2 per year, 1e18
    /// @return lastTargetBase b* at the last sample, base token units
    /// @return lastSampledAt time of the last sample, unix seconds
    /// @return lastRoundId round of the last sample
    function bandState()
        external
        view
        returns (
            uint256 targetVarianceWad,
            uint256 lastTargetBase,
            uint256 lastSampledAt,
            uint80 lastRoundId
        );
}
