"""The rule language: load packs, find what was said, judge, explain."""
