"""Interaction chains: closed walks from the query user over shared items and peers to the target."""
