"""Traces (Q, R, A): teachers write them, filters drop what should not be learnt."""
