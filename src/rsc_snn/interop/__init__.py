"""Bridges to networks and attacks of other libraries."""
