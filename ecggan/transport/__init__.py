"""Move a generator's ECGs onto the law of real ones: beat by beat, by optimal transport, without training a network.

In: ECGs of a generator, and a few hundred real ones. Out: a `BeatTransport`, a function from ECG to ECG that is kept
with the generator and applied to what it draws. It shifts where P, QRS and T begin and end, how large they are in each
lead, how alike the beats are, and how fast and how evenly the heart beats, each record by its own amount, so that all
of these are spread as they are in the real ECGs. What it knows of them is means, covariances and quantiles: no beat of
a real record is in it.

Imports measurement and what lies below; numpy and scipy, no torch. Read `registered_beat` (an ECG as numbers),
`optimal_map` (numbers of one law to numbers of another), `retiming` (numbers back to an ECG), `beat_transport`.
"""
