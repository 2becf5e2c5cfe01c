"""Can blinded readers tell real from generated ECGs?

In: two ECG sets. Out: a kit of ECGs in random order with sheets to fill in; from the sheets, scores and agreement.
Begin with `kit`, then `sheets`, `scores`, `agreement`.
"""
