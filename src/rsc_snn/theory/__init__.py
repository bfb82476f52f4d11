"""Section 3.3 of the paper, measured: covariances, closed-form moments, similarities of coded images."""
