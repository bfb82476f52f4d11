"""The audit: is this robustness real, or are the gradients of the attacks of no use?"""
