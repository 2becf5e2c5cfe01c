"""One file -> its records in mV, leads by name.

In: a path and what the user states of its layout. Out: `Record`s. Imports record, files and ecg. Begin with `registry`,
which knows the reader of each suffix (`devices`: MUSE, aECG, DICOM, SCP-ECG); nothing is guessed.
"""
