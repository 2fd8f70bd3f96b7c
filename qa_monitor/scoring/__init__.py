"""Scorecards: findings and model scores into a call's points, with the arithmetic kept."""
