// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
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
import {MarginAccount} from "./MarginAccount.sol";
import {MarginGovernance} from "./MarginGovernance.sol";
import {MarginParameters} from "./MarginParameters.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {OrderLogic} from "./OrderLogic.sol";
import {RiskLogic} from "./RiskLogic.sol";
import {SettlementLogic} from "./SettlementLogic.sol";
import {ShareLogic} from "./ShareLogic.sol";

/// @title MarginPool
/// @notice See IMarginPool.
/// @dev Entry points and token transfers. The logic is in four linked libraries over the one storage struct of
/// MarginStorage: ShareLogic (LPs), OrderLogic (traders), RiskLogic (liquidation and the pool as a whole),
/// SettlementLogic (deleveraging and the end).
contract MarginPool is MarginGovernance {
    using MarginStorage for MarginStorage.Storage;
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;

    /// What a pool is made of.
    /// @param targetBaseWeightWad w, 0..0.9e18
    /// @param initialTargetVolatilityWad what the target is expected to move in a day before it has been measured, as
    /// a share of equity, 1e18
    /// @param owner who sets parameters: a TimelockController
    /// @param guardian who may pause new risk
    struct Deployment {
        IERC20Metadata base;
        IERC20Metadata quote;
        IConstantProductPool pool;
        IVolatilityOracle volatilityOracle;
        uint256 targetBaseWeightWad;
        uint256 initialTargetVolatilityWad;
        address owner;
        address guardian;
    }

    uint256 private constant MAXIMUM_WEIGHT_WAD = 0.9e18;
    uint8 private constant MAXIMUM_DECIMALS = 18;

    /// Margin was added in this transaction: none leaves in it, so that nobody lends the pool solvency for a moment.
    bool private transient _marginAdded;

    IERC20 private immutable BASE;
    IERC20 private immutable QUOTE;
    IConstantProductPool private immutable POOL;
    IVolatilityOracle private immutable VOLATILITY_ORACLE;
    Rebalancer private immutable REBALANCER;
    int256 private immutable BASE_SCALE;
    int256 private immutable QUOTE_SCALE;
    int256 private immutable WEIGHT_WAD;
    uint256 private immutable LP_BAND_WAD;

    constructor(Deployment memory d) ERC20("Ballast Margin LP", "bLP") ERC4626(d.quote) Ownable(d.owner) {
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
        // Until a rebalance has been measured phi is one way of the round trip.
        _cacheBand(0, 0, unwindCost, RebalanceMath.hedgeRatePpm(0, 0, unwindCost, 1));
        _state.startClock();
        _state.parameters = MarginParameters.initial();
        _setGuardian(d.guardian);
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
        if (baseAmount != 0) {
            SafeERC20.safeTransferFrom(BASE, msg.sender, address(this), baseAmount);
            _requireCovered(BASE, _state.loadInventoryBase());
        }
        if (quoteAmount != 0) _pullQuote(quoteAmount);
        _mintLocked(msg.sender, shares);
    }

    // ------------------------------------------------------------------ traders

    /// @inheritdoc IMarginPool
    function depositMargin(uint256 amount) external nonReentrant {
        if (amount == 0) revert MarginPool_ZeroAmount();
        (, , uint256 collateral, , , ) = MarginStorage.loadPosition(_state.positions[msg.sender]);
        collateral += amount;
        (int256 size, int256 backing) = MarginAccount.setCollateral(_state, msg.sender, collateral);
        if (backing != 0) _state.addCollateral(size > 0, backing);
        _state.addAccounted(int256(uint256(amount.toUint96())));
        _pullQuote(amount);
        _marginAdded = true;
        emit MarginDeposited(msg.sender, amount, collateral);
    }

    /// @inheritdoc IMarginPool
    function withdrawMargin(uint256 amount) external nonReentrant {
        if (amount == 0) revert MarginPool_ZeroAmount();
        if (_marginAdded) revert MarginPool_MarginAddedInTransaction(msg.sender, amount);
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
        uint256 baseAmount;
        (amount, baseAmount) = SettlementLogic.claim(_state, msg.sender);
        if (amount != 0) SafeERC20.safeTransfer(QUOTE, msg.sender, amount);
        if (baseAmount != 0) SafeERC20.safeTransfer(BASE, msg.sender, baseAmount);
    }

    /// @inheritdoc IMarginPool
    function skim() external nonReentrant returns (uint256 amount) {
        amount = QUOTE.balanceOf(address(this)) - _state.loadAccounted();
        _state.addAccounted(int256(amount));
        emit InsuranceSkimmed(msg.sender, amount, _state.addInsurance(amount));
    }

    // --------------------------------------------------------------- settlement

    /// @inheritdoc IMarginPool
    function autoDeleverage() external nonReentrant returns (uint256 fractionWad) {
        return SettlementLogic.deleverage(_state, _config());
    }

    /// @inheritdoc IMarginPool
    function settle() external nonReentrant returns (bool settled) {
        return SettlementLogic.settle(_state, _config(), IPriceOracle(VOLATILITY_ORACLE.priceOracle()));
    }

    /// @inheritdoc IMarginPool
    function settleAccount(address account) external nonReentrant {
        SettlementLogic.settleAccount(_state, _config(), account);
    }

    /// @inheritdoc IMarginPool
    function finalizeSettlement() external nonReentrant {
        SettlementLogic.finalize(_state, _config(), totalSupply());
    }

    /// @inheritdoc IMarginPool
    function redeemInKind(
        uint256 shares,
        address receiver
    ) external nonReentrant returns (uint256 baseAmount, uint256 quoteAmount) {
        (baseAmount, quoteAmount) = SettlementLogic.redeemInKind(_state, shares);
        _burn(msg.sender, shares);
        if (baseAmount != 0) SafeERC20.safeTransfer(BASE, receiver, baseAmount);
        if (quoteAmount != 0) SafeERC20.safeTransfer(QUOTE, receiver, quoteAmount);
        emit RedeemedInKind(msg.sender, receiver, shares, baseAmount, quoteAmount);
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
        _cacheBand(outerBandWad, depthBaseWad, unwindCostPpm, _state.loadHedgeRatePpm());
    }

    function _cacheBand(
        uint256 outerBandWad,
        uint256 depthBaseWad,
        uint256 unwindCostPpm,
        uint256 hedgeRatePpm
    ) private {
        _state.storeBand(outerBandWad, depthBaseWad, unwindCostPpm, hedgeRatePpm);
        emit BandCached(
            outerBandWad / uint256(BASE_SCALE),
            depthBaseWad / uint256(BASE_SCALE),
            unwindCostPpm,
            hedgeRatePpm
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
        MarginStorage.Context memory ctx;
        _state.load(ctx);
        Ledgers memory all = ctx.ledgers;
        // Deleveraging rounds the collateral of a side up; once nearly nothing is left that may be more than there is.
        all.custodyQuote = ctx.accountedQuote.zeroFloorSub(
            all.inventoryQuote +
                all.longCollateral +
                all.shortCollateral +
                all.skewPremium +
                all.pendingIncome +
                all.insuranceFund
        );
        return all;
    }

    /// @inheritdoc IMarginPool
    function funding() external view returns (int256 indexWad, int256 rateWad, uint256 lastSyncAt) {
        return _state.loadFunding();
    }

    /// @inheritdoc IMarginPool
    function skewReference() external view returns (int256) {
        return _state.loadSkewReference();
    }

    /// @inheritdoc IMarginPool
    function badDebt() external view returns (uint256) {
        return _state.badDebt;
    }

    /// @inheritdoc IMarginPool
    function riskClock() external view returns (RiskState state, uint256 since, uint256 recoverySince) {
        return _state.loadRatioState();
    }

    /// @inheritdoc IMarginPool
    function settlement() external view returns (Settlement memory s) {
        return _state.loadSettlement();
    }

    /// @inheritdoc IMarginPool
    function position(address account) external view nonReentrantView returns (PositionView memory) {
        return RiskLogic.viewPosition(_state, _config(), account);
    }

    /// @inheritdoc IMarginPool
    function marginAccount(address account) external view returns (Account memory) {
        return _state.loadAccount(account);
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

    function _config() internal view override returns (MarginStorage.Config memory) {
        return MarginStorage.Config(VOLATILITY_ORACLE, BASE_SCALE, QUOTE_SCALE, WEIGHT_WAD, LP_BAND_WAD);
    }

    function _scale(IERC20Metadata token) private view returns (int256) {
        uint8 tokenDecimals = token.decimals();
        if (tokenDecimals > MAXIMUM_DECIMALS) {
            revert MarginPool_TokenDecimalsOutOfBounds(address(token), tokenDecimals, MAXIMUM_DECIMALS);
        }
        return int256(10 ** (MAXIMUM_DECIMALS - tokenDecimals));
    }
}
