"""Sound: recordings as they lie in files (`recordings.py`), their spectrograms (`spectrogram.py`), and who makes these of many (`hearing.py`)."""
