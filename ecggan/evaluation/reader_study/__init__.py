"""Can blinded readers tell real from generated ECGs?

In: two ECG sets. Out: a kit of ECGs in random order with sheets to fill in; from the sheets, scores and agreement.
Imports data, plotting, stats and files. Begin with `kit`, then `sheets`, `scores`, `agreement`.
"""
