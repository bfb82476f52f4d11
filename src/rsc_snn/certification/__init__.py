"""Certificates: what noise in front of a network proves."""
