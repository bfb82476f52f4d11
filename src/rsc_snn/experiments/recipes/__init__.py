"""Base recipes, one module for each DATASET-NETWORK; its function ``base`` returns the recipe."""
