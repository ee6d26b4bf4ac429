"""The admin API under /admin/v1: forget lists, their entries and their history, changed while the proxy runs."""

from server.admin.router import admin_router

__all__ = ["admin_router"]
