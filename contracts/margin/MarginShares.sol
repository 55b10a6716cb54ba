// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IMarginPool} from "../interfaces/IMarginPool.sol";
import {SharesMath} from "../libraries/SharesMath.sol";
import {MarginStorage} from "./MarginStorage.sol";
import {ShareLogic} from "./ShareLogic.sol";

/// @title LP shares of the margin pool: ERC-4626 in quote, new shares locked for ten minutes
/// @dev Prices, limits and ledgers are ShareLogic's; here tokens and shares move.
abstract contract MarginShares is ERC4626, ReentrancyGuardTransient, IMarginPool {
    using FixedPointMathLib for uint256;
    using SafeCastLib for uint256;
    using MarginStorage for MarginStorage.Storage;

    uint256 private constant LOCK = 10 minutes;

    MarginStorage.Storage internal _state;

    /// @dev The pool's immutables.
    function _config() internal view virtual returns (MarginStorage.Config memory);

    // ------------------------------------------------------------ entry and exit

    /// @inheritdoc ERC4626
    function deposit(
        uint256 assets,
        address receiver
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 shares) {
        (, shares) = ShareLogic.enter(_state, _config(), totalSupply(), assets, false);
        _enter(assets, shares, receiver);
    }

    /// @inheritdoc ERC4626
    function mint(
        uint256 shares,
        address receiver
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 assets) {
        (assets, ) = ShareLogic.enter(_state, _config(), totalSupply(), shares, true);
        _enter(assets, shares, receiver);
    }

    /// @inheritdoc ERC4626
    function withdraw(
        uint256 assets,
        address receiver,
        address owner
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 shares) {
        (, shares) = ShareLogic.exit(_state, _config(), totalSupply(), owner, assets, false);
        _withdraw(msg.sender, receiver, owner, assets, shares);
    }

    /// @inheritdoc ERC4626
    function redeem(
        uint256 shares,
        address receiver,
        address owner
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256 assets) {
        (assets, ) = ShareLogic.exit(_state, _config(), totalSupply(), owner, shares, true);
        _withdraw(msg.sender, receiver, owner, assets, shares);
    }

    function _enter(uint256 assets, uint256 shares, address receiver) private {
        _pullQuote(assets);
        _mintLocked(receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    /// @dev Pulls quote that is already in the ledgers. They must be covered then: a token that delivers less than was asked
    /// is not supported.
    function _pullQuote(uint256 amount) internal {
        IERC20 token = IERC20(asset());
        SafeERC20.safeTransferFrom(token, msg.sender, address(this), amount);
        _requireCovered(token, _state.loadAccounted());
    }

    /// @dev I1: the ledgers of a token never pass the balance.
    function _requireCovered(IERC20 token, uint256 ledgersTotal) internal view {
        uint256 balance = token.balanceOf(address(this));
        if (balance < ledgersTotal) revert MarginPool_NotCovered(address(token), balance, ledgersTotal);
    }

    // -------------------------------------------------------------------- views

    /// @inheritdoc ERC4626
    function totalAssets() public view override(ERC4626, IERC4626) nonReentrantView returns (uint256) {
        return ShareLogic.totalEquity(_state, _config());
    }

    /// @inheritdoc ERC4626
    function previewDeposit(
        uint256 assets
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 shares) {
        (, shares) = ShareLogic.previewEnter(_state, _config(), totalSupply(), assets, false);
    }

    /// @inheritdoc ERC4626
    function previewMint(
        uint256 shares
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 assets) {
        (assets, ) = ShareLogic.previewEnter(_state, _config(), totalSupply(), shares, true);
    }

    /// @inheritdoc ERC4626
    function previewWithdraw(
        uint256 assets
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 shares) {
        (, shares) = ShareLogic.previewExit(_state, _config(), totalSupply(), assets, false);
    }

    /// @inheritdoc ERC4626
    function previewRedeem(
        uint256 shares
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 assets) {
        (assets, ) = ShareLogic.previewExit(_state, _config(), totalSupply(), shares, true);
    }

    /// @inheritdoc ERC4626
    function maxDeposit(
        address
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 assets) {
        (assets, ) = ShareLogic.maximumEnter(_state, _config(), totalSupply());
    }

    /// @inheritdoc ERC4626
    function maxMint(
        address
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 shares) {
        (, shares) = ShareLogic.maximumEnter(_state, _config(), totalSupply());
    }

    /// @inheritdoc ERC4626
    function maxWithdraw(
        address owner
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 assets) {
        (assets, ) = ShareLogic.maximumExit(_state, _config(), totalSupply(), _unlocked(owner));
    }

    /// @inheritdoc ERC4626
    function maxRedeem(
        address owner
    ) public view override(ERC4626, IERC4626) nonReentrantView returns (uint256 shares) {
        (, shares) = ShareLogic.maximumExit(_state, _config(), totalSupply(), _unlocked(owner));
    }

    // -------------------------------------------------------------------- locks

    /// @inheritdoc IMarginPool
    function shareLock(address account) public view returns (uint256 lockedShares, uint256 unlockAt) {
        MarginStorage.ShareLock memory lock = _state.locks[account];
        return block.timestamp < lock.unlockAt ? (lock.lockedShares, lock.unlockAt) : (0, lock.unlockAt);
    }

    /// @dev A further mint sets the end of the lock to the share-weighted mean of the remaining times, so that dust
    /// sent to somebody cannot keep their shares locked.
    function _mintLocked(address receiver, uint256 shares) internal {
        (uint256 locked, uint256 unlockAt) = shareLock(receiver);
        uint256 remaining = locked == 0 ? 0 : unlockAt - block.timestamp;
        uint256 total = locked + shares;
        uint256 mean = (locked * remaining + shares * LOCK) / total;
        _state.locks[receiver] = MarginStorage.ShareLock(
            total.toUint128(),
            (block.timestamp + mean).toUint40()
        );
        _mint(receiver, shares);
    }

    function _unlocked(address account) private view returns (uint256) {
        (uint256 locked, ) = shareLock(account);
        return balanceOf(account).zeroFloorSub(locked);
    }

    /// @inheritdoc ERC20
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0)) {
            uint256 unlocked = _unlocked(from);
            if (value > unlocked) {
                (, uint256 unlockAt) = shareLock(from);
                revert MarginPool_SharesLocked(from, value, unlocked, unlockAt);
            }
        }
        super._update(from, to, value);
    }

    /// @inheritdoc ERC4626
    function _decimalsOffset() internal pure override returns (uint8) {
        return SharesMath.DECIMALS_OFFSET;
    }
}
