"""Services of accounts, their people and environments, one module per noun."""

from apps.tenancy.services.shares import account_set_share, publish_all_shares, publish_shares

__all__ = ["account_set_share", "publish_all_shares", "publish_shares"]
