"""Reports: pure functions from rows to tables, curves and pages. Nothing here runs a model."""
