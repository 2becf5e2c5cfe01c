"""One file -> its records in mV, their leads by name; [ecggan.data.readers.registry][] knows which reader is for which."""
