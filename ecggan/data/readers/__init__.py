"""One file -> its records in mV, their leads by name; [ecggan.data.readers.files][] knows which reader is for which."""
