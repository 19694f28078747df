"""Turnpoint: diffusion recommenders that can be looked into. Modules import one way; see README, "Layout"."""
