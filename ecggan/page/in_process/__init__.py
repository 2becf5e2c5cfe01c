"""What the page computes, in processes of its own: torch, pandas and matplotlib are loaded here and not in the server.

In: names of sources, numbers, arrays. Out: plain values and bytes, which travel back to the server. Begin with
`opened`: the sources as each process has opened them.
"""
