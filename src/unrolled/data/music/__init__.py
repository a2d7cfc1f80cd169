"""Music as notes: read from MIDI, ABC, MusicXML and piano rolls, seen as frames or as events, written and heard again."""
