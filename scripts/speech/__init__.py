"""Measuring the speech stages: texts made comparable, telephone lines simulated, calls spliced, figures."""
