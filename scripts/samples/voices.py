"""The voices of the samples: one synthesiser, told apart by pitch, speed and a resampling that moves the formants."""

from __future__ import annotations

# pitch: factor on the synthesiser's own pitch · formants: resampling factor (below 1 a longer throat) · speed: factor
VOICES = {
    "agent_a": {"pitch": 1.00, "formants": 1.00, "speed": 1.00},
    "agent_b": {"pitch": 0.92, "formants": 0.97, "speed": 1.08},
    "agent_c": {"pitch": 1.06, "formants": 1.04, "speed": 1.05},
    "agent_d": {"pitch": 1.08, "formants": 1.01, "speed": 0.98},
    "agent_e": {"pitch": 0.96, "formants": 1.02, "speed": 1.02},
    "customer_a": {"pitch": 0.74, "formants": 0.84, "speed": 1.00},
    "customer_b": {"pitch": 0.68, "formants": 0.82, "speed": 1.04},
    "customer_c": {"pitch": 0.80, "formants": 0.86, "speed": 0.94},
}
RATE = 24_000
