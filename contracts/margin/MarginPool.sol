// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IConstantProductPool} from "../interfaces/IConstantProductPool.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IVolatilityOracle} from "../interfaces/IVolatilityOracle.sol";
import {RebalanceMath} from "../libraries/RebalanceMath.sol";
import {Rebalancer} from "../rebalance/Rebalancer.sol";
import {MarginLedger} from "./MarginLedger.sol";
import {MarginShares} from "./MarginShares.sol";
import {MarginState} from "./MarginState.sol";
import {OrderLogic} from "./OrderLogic.sol";
import {RiskLogic} from "./RiskLogic.sol";
import {ShareLogic} from "./ShareLogic.sol";

/// @title MarginPool
/// @notice See IMarginPool.
/// @dev Entry points and token transfers. The logic is in three linked libraries over the one storage struct of
/// MarginState: ShareLogic (LPs), OrderLogic (traders), RiskLogic (liquidation and the pool as a whole).
contract MarginPool is MarginShares {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;

    /// What a pool is made of.
    /// @param targetBaseWeightWad w, 0..0.9e18
    /// @param initialTargetVolatilityWad what the target is expected to move in a day before it has been measured, as
    /// a share of equity, 1e18
    struct Deployment {
        IERC20Metadata base;
        IERC20Metadata quote;
        IConstantProductPool pool;
        IVolatilityOracle volatilityOracle;
        uint256 targetBaseWeightWad;
        uint256 initialTargetVolatilityWad;
    }

    uint256 private constant MAXIMUM_WEIGHT_WAD = 0.9e18;
    uint8 private constant MAXIMUM_DECIMALS = 18;

    IERC20 private immutable BASE;
    IERC20 private immutable QUOTE;
    IConstantProductPool private immutable POOL;
    IVolatilityOracle private immutable VOLATILITY_ORACLE;
    Rebalancer private immutable REBALANCER;
    int256 private immutable BASE_SCALE;
    int256 private immutable QUOTE_SCALE;
    int256 private immutable WEIGHT_WAD;
    uint256 private immutable LP_BAND_WAD;

    constructor(Deployment memory d) ERC20("Ballast Margin LP", "bLP") ERC4626(d.quote) {
        if (d.targetBaseWeightWad > MAXIMUM_WEIGHT_WAD) {
            revert MarginPool_WeightOutOfBounds(d.targetBaseWeightWad, MAXIMUM_WEIGHT_WAD);
        }
        BASE = d.base;
        QUOTE = d.quote;
        POOL = d.pool;
        VOLATILITY_ORACLE = d.volatilityOracle;
        BASE_SCALE = _scale(d.base);
        QUOTE_SCALE = _scale(d.quote);
        WEIGHT_WAD = int256(d.targetBaseWeightWad);
        LP_BAND_WAD = IPriceOracle(d.volatilityOracle.priceOracle()).lpPriceBandWad();
        // Created here, each knows the other without a setter that anybody could call.
        REBALANCER = new Rebalancer(
            d.base,
            d.quote,
            d.pool,
            d.volatilityOracle,
            d.initialTargetVolatilityWad
        );
        // The pool pulls only from its caller, and only inside tradeWithPool is this contract its caller.
        SafeERC20.forceApprove(d.base, address(d.pool), type(uint256).max);
        SafeERC20.forceApprove(d.quote, address(d.pool), type(uint256).max);

        uint256 unwindCost = RebalanceMath.unwindCostPpm(d.pool.swapFee());
        _state.band.unwindCostPpm = unwindCost.toUint32();
        // Until a rebalance has been measured phi is one way of the round trip.
        _state.band.hedgeRatePpm = RebalanceMath.hedgeRatePpm(0, 0, unwindCost, 1).toUint32();
        _state.clock.lastSyncAt = uint40(block.timestamp);
        RiskLogic.sync(_state, _config());
    }

    // ---------------------------------------------------------------------- LPs

    /// @inheritdoc IMarginPool
    function bootstrap(
        uint256 baseAmount,
        uint256 quoteAmount
    ) external nonReentrant returns (uint256 shares) {
        if (totalSupply() != 0) revert MarginPool_AlreadyBootstrapped(totalSupply());
        shares = ShareLogic.bootstrap(_state, _config(), baseAmount, quoteAmount);
        if (baseAmount != 0) _pull(BASE, baseAmount);
        if (quoteAmount != 0) _pull(QUOTE, quoteAmount);
        _mintLocked(msg.sender, shares);
    }

    // ------------------------------------------------------------------ traders

    /// @inheritdoc IMarginPool
    function depositMargin(uint256 amount) external nonReentrant {
        if (amount == 0) revert MarginPool_ZeroAmount();
        _pull(QUOTE, amount);
        Account memory before = _state.accounts[msg.sender];
        Account memory next = _state.accounts[msg.sender];
        next.collateral += amount.toUint128();
        Ledgers memory book = _state.ledgers;
        MarginLedger.setAccount(book, before, next);
        _state.accounts[msg.sender] = next;
        _state.ledgers = book;
        emit MarginDeposited(msg.sender, amount, next.collateral);
    }

    /// @inheritdoc IMarginPool
    function withdrawMargin(uint256 amount) external nonReentrant {
        if (amount == 0) revert MarginPool_ZeroAmount();
        RiskLogic.withdrawMargin(_state, _config(), msg.sender, amount);
        SafeERC20.safeTransfer(QUOTE, msg.sender, amount);
    }

    /// @inheritdoc IMarginPool
    function requestOrder(
        int256 sizeDelta,
        uint256 acceptablePriceWad,
        uint40 expiresAt
    ) external nonReentrant {
        OrderLogic.request(_state, _config(), msg.sender, sizeDelta, acceptablePriceWad, expiresAt);
    }

    /// @inheritdoc IMarginPool
    function executeOrder(address account) external nonReentrant {
        OrderLogic.execute(_state, _config(), account);
    }

    /// @inheritdoc IMarginPool
    function cancelOrder() external nonReentrant {
        OrderLogic.cancel(_state, _config(), msg.sender);
    }

    /// @inheritdoc IMarginPool
    function liquidate(address account) external nonReentrant {
        RiskLogic.liquidate(_state, _config(), account);
    }

    /// @inheritdoc IMarginPool
    function claim() external nonReentrant returns (uint256 amount) {
        Ledgers memory book = _state.ledgers;
        uint256 credit = _state.credits[msg.sender];
        uint256 unpaid = _state.accounts[msg.sender].unpaidClaim;
        uint256 paid = unpaid.min(book.inventoryQuote);
        amount = credit + paid;
        if (amount == 0) revert MarginPool_NothingToClaim(msg.sender);
        book.credited -= uint128(credit); // a part of the ledger
        book.inventoryQuote -= uint128(paid);
        book.unpaidClaims -= uint128(paid);
        _state.ledgers = book;
        delete _state.credits[msg.sender];
        _state.accounts[msg.sender].unpaidClaim = uint128(unpaid - paid);
        if (credit != 0) emit CreditPaid(msg.sender, credit);
        if (paid != 0) emit ClaimPaid(msg.sender, paid, unpaid - paid);
        SafeERC20.safeTransfer(QUOTE, msg.sender, amount);
    }

    /// @inheritdoc IMarginPool
    function skim() external nonReentrant returns (uint256 amount) {
        Ledgers memory book = _state.ledgers;
        amount = QUOTE.balanceOf(address(this)) - MarginLedger.quoteTotal(book);
        _state.ledgers.insuranceFund = book.insuranceFund + amount.toUint128();
        emit InsuranceSkimmed(msg.sender, amount, book.insuranceFund + amount);
    }

    /// @inheritdoc IMarginPool
    function sync() external nonReentrant returns (Snapshot memory) {
        return RiskLogic.sync(_state, _config());
    }

    // --------------------------------------------------------------- rebalancer

    modifier onlyRebalancer() {
        if (msg.sender != address(REBALANCER))
            revert MarginPool_OnlyRebalancer(msg.sender, address(REBALANCER));
        _;
    }

    /// @inheritdoc IMarginPool
    function tradeWithPool(
        bool sellBase,
        uint256 amountBase,
        uint256 quoteLimit
    ) external onlyRebalancer nonReentrant returns (uint256 quoteAmount, Snapshot memory snapshotAfter) {
        uint256 before = QUOTE.balanceOf(address(this));
        uint256 moved;
        if (sellBase) {
            quoteAmount = POOL.swapExactInput(
                address(BASE),
                amountBase,
                quoteLimit,
                address(this),
                block.timestamp
            );
            moved = QUOTE.balanceOf(address(this)) - before;
        } else {
            quoteAmount = POOL.swapExactOutput(
                address(QUOTE),
                amountBase,
                quoteLimit,
                address(this),
                block.timestamp
            );
            moved = before - QUOTE.balanceOf(address(this));
        }
        if (moved != quoteAmount) revert MarginPool_PoolAmountMismatch(moved, quoteAmount);
        int256 direction = sellBase ? int256(1) : int256(-1);
        snapshotAfter = RiskLogic.moveInventory(
            _state,
            _config(),
            -direction * int256(amountBase),
            direction * int256(quoteAmount)
        );
    }

    /// @inheritdoc IMarginPool
    function cacheBand(
        uint256 outerBandWad,
        uint256 depthBaseWad,
        uint256 unwindCostPpm
    ) external onlyRebalancer nonReentrant {
        // Tokens so cheap that their amounts pass 2^128 / 1e18 get the widest band and depth there is room for.
        _state.band.outerBandWad = uint128(outerBandWad.min(type(uint128).max));
        _state.band.depthBaseWad = uint128(depthBaseWad.min(type(uint128).max));
        _state.band.unwindCostPpm = unwindCostPpm.toUint32();
        emit BandCached(
            outerBandWad / uint256(BASE_SCALE),
            depthBaseWad / uint256(BASE_SCALE),
            unwindCostPpm
        );
    }

    // -------------------------------------------------------------------- views

    /// @inheritdoc IMarginPool
    function quote() external view returns (address) {
        return address(QUOTE);
    }

    /// @inheritdoc IMarginPool
    function base() external view returns (address) {
        return address(BASE);
    }

    /// @inheritdoc IMarginPool
    function pool() external view returns (address) {
        return address(POOL);
    }

    /// @inheritdoc IMarginPool
    function volatilityOracle() external view returns (address) {
        return address(VOLATILITY_ORACLE);
    }

    /// @inheritdoc IMarginPool
    function rebalancer() external view returns (address) {
        return address(REBALANCER);
    }

    /// @inheritdoc IMarginPool
    function targetBaseWeightWad() external view returns (uint256) {
        return uint256(WEIGHT_WAD);
    }

    /// @inheritdoc IMarginPool
    function executionFee() external view returns (uint256) {
        return OrderLogic.executionFee(_config());
    }

    /// @inheritdoc IMarginPool
    function poolState() external view nonReentrantView returns (PoolState memory) {
        return RiskLogic.viewPool(_state, _config());
    }

    /// @inheritdoc IMarginPool
    function snapshot() external view nonReentrantView returns (Snapshot memory) {
        return RiskLogic.viewSnapshot(_state, _config());
    }

    /// @inheritdoc IMarginPool
    function ledgers() external view nonReentrantView returns (Ledgers memory) {
        return _state.ledgers;
    }

    /// @inheritdoc IMarginPool
    function funding() external view returns (int256 indexWad, int256 rateWad, uint256 lastSyncAt) {
        MarginState.Clock memory clock = _state.clock;
        return (clock.fundingIndexWad, clock.fundingRateWad, clock.lastSyncAt);
    }

    /// @inheritdoc IMarginPool
    function skewReference() external view returns (int256) {
        return _state.exposure.skewReference;
    }

    /// @inheritdoc IMarginPool
    function badDebt() external view returns (uint256) {
        return _state.losses.badDebt;
    }

    /// @inheritdoc IMarginPool
    function position(address account) external view nonReentrantView returns (PositionView memory) {
        return RiskLogic.viewPosition(_state, _config(), account);
    }

    /// @inheritdoc IMarginPool
    function marginAccount(address account) external view returns (Account memory) {
        return _state.accounts[account];
    }

    /// @inheritdoc IMarginPool
    function order(address account) external view returns (Order memory) {
        return _state.orders[account];
    }

    /// @inheritdoc IMarginPool
    function previewOrder(
        address account
    ) external view nonReentrantView returns (Fill memory, bytes memory) {
        return OrderLogic.previewOrder(_state, _config(), account);
    }

    /// @inheritdoc IMarginPool
    function creditedOf(address account) external view returns (uint256) {
        return _state.credits[account];
    }

    function _config() internal view override returns (MarginState.Config memory) {
        return MarginState.Config(VOLATILITY_ORACLE, BASE_SCALE, QUOTE_SCALE, WEIGHT_WAD, LP_BAND_WAD);
    }

    function _scale(IERC20Metadata token) private view returns (int256) {
        uint8 tokenDecimals = token.decimals();
        if (tokenDecimals > MAXIMUM_DECIMALS) {
            revert MarginPool_TokenDecimalsOutOfBounds(address(token), tokenDecimals, MAXIMUM_DECIMALS);
        }
        return int256(10 ** (MAXIMUM_DECIMALS - tokenDecimals));
    }
}
