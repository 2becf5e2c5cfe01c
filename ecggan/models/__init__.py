"""The networks: plain torch, nothing else.

In: noise or records as tensors. Out: records in ±1, or scores. Imports checks. Begin with `layers`, then `decoder`,
`pulse2pulse`, `wavegan_star`, `discriminator`.
"""
