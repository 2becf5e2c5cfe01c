"""Can blinded readers tell real from generated ECGs?

In: two ECG sets. Out: a kit of ECGs in random order with sheets to fill in; from the sheets, scores and agreement.
Imports data, plotting, stats, files, formatting and rendering. Begin with `kit`, then `sheets`, `scores`, `agreement`.
"""
